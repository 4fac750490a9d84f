"""The walk from a prepared graph to integer steps: which steps there are, what they read, and their scales."""

import numpy as np
import pytest
import torch
from torch import nn

import crq
from crq.convert.integers import IntegerWalk, input_quantizer
from crq.convert.shapes import infer_shapes
from crq.errors import CrqError
from tests.support.nets import NETWORKS, Branches, Plain, Residual, images, prepared


def walk(network: type[nn.Module], **config: object) -> crq.FrozenModel:
    model = prepared(network, **config)
    infer_shapes(model, images(network, 1).float() / 256)
    return IntegerWalk(model, network.shape).run()


def kinds(model: crq.FrozenModel) -> list[str]:
    return [type(model.steps[wire.name]).__name__ for wire in model.wires]


def test_batch_norms_and_activations_become_thresholds() -> None:
    expected = ["Conv", "Threshold", "Conv", "Threshold", "MaxPool", "Flatten", "Linear", "Output"]
    assert kinds(walk(Plain)) == expected


def test_max_pools_wait_for_the_quantizer_unless_a_norm_may_turn_signs() -> None:
    """They commute with what does not fall, and codes are narrower than sums."""
    read = {wire.name: wire.inputs for wire in walk(Branches).wires}
    assert read["depthwise_quant_pool"] == ("depthwise_quant",)
    assert (read["grouped_pool"], read["grouped_quant"]) == (("grouped",), ("grouped_pool",))


def test_a_sum_brings_both_sides_to_the_finer_grid() -> None:
    model = walk(Residual, residual_bits=6)
    wire = next(wire for wire in model.wires if type(model.steps[wire.name]).__name__ == "Add")
    scales = [model.steps[name].scale for name in wire.inputs]
    assert model.steps[wire.name].shifts == [int(np.log2(scale / min(scales))) for scale in scales]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_every_step_reads_earlier_ones_and_the_last_is_the_output(network: type[nn.Module]) -> None:
    model = walk(network)
    seen = {"input"}
    for wire in model.wires:
        assert set(wire.inputs) <= seen
        seen.add(wire.name)
    assert kinds(model)[-1] == "Output"
    assert len(model.integers(images(network, 2))) == 2


def test_the_input_quantizer_is_prepares() -> None:
    assert input_quantizer(prepared(Plain)).scale == 2.0**-8
    bare = crq.prepare(Plain(), crq.TernaryConfig(act_bits=None))
    with pytest.raises(CrqError, match="input is not quantized"):
        input_quantizer(bare)


def test_same_padding_is_split_with_the_odd_pixel_behind() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 4, padding="same"), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
    model = crq.prepare(net)
    crq.set_mode(model, "quantized")
    x = torch.randint(0, 256, (4, 1, 4, 4), dtype=torch.uint8)
    frozen = crq.freeze(model, [x])
    first = next(iter(frozen.steps.values()))
    assert [list(pair) for pair in first.padding] == [[1, 2], [1, 2]]
    assert frozen.integers(x).shape == (4, 3)
