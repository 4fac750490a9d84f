"""The exported file: right in everyone's tools, bit for bit."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from crq import export
from crq.convert.steps import STEPS
from crq.export.check import check_file
from crq.export.errors import ExportError
from crq.export.packing import unpack
from crq.export.qonnx import WRITERS
from crq.hw.project import build
from tests.support.nets import NETWORKS, Plain, Residual, extremes, frozen, images


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("config", [{}, {"act_bits": 1, "integer": {"first": 8}, "per_channel": True}], ids=str)
def test_file_equals_frozen_model_in_qonnx_and_onnxruntime(network: type[nn.Module], config: dict, tmp_path) -> None:
    model = frozen(network, seed=5, **config)
    for carrier in ("packed", "float"):
        export.to_qonnx(model, tmp_path / "m.onnx", carrier=carrier)
        x = torch.cat([images(network, 40, seed=8), extremes(network)])
        for result in check_file(model, tmp_path / "m.onnx", x):
            assert result.values == len(x) * len(model(x)[0])
            if result.runtime != "onnxruntime (default)":  # whose fusions may round: reported, not promised
                assert result.different == 0, result


class Twice(nn.Module):
    """Operators that read one tensor twice."""

    shape = (2, 6, 6)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3, padding=1)
        self.conv2 = nn.Conv2d(9, 4, 3)
        self.fc = nn.Linear(64, 5)

    def forward(self, x):
        y = torch.relu(self.conv1(x))
        z = torch.relu(self.conv2(torch.cat([y, y, y], 1)))
        return self.fc((z + z).flatten(1))


def test_a_tensor_read_twice_by_one_operator(tmp_path) -> None:
    """qonnx's cleanup renames only one of equal inputs, and its execution then misses a shape."""
    model = frozen(Twice)
    proto = export.to_qonnx(model, tmp_path / "m.onnx")
    assert all(len(set(n.input)) == len(n.input) for n in proto.graph.node)
    x = torch.cat([images(Twice, 20), extremes(Twice)])
    for result in check_file(model, tmp_path / "m.onnx", x):
        assert result.different == 0, result
    project = build(tmp_path / "m.onnx", tmp_path / "project")
    np.testing.assert_array_equal(project.integers(x.numpy()).reshape(len(x), -1), model.integers(x).numpy())


def test_int2_carrier_runs_in_onnxruntime(tmp_path) -> None:
    import onnxruntime

    model = frozen(Residual, seed=5)
    proto = export.to_qonnx(model, tmp_path / "m.onnx", carrier="int2")
    assert {n.domain for n in proto.graph.node} == {""}
    x = images(Residual, 30)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), options)
    (logits,) = session.run(None, {"input": (x.float() / 256).numpy()})
    np.testing.assert_array_equal(logits, model(x).numpy())


def test_packed_weights_are_the_codes_at_two_bits(tmp_path) -> None:
    model = frozen(Plain)
    proto = export.to_qonnx(model, tmp_path / "m.onnx")
    onnx.checker.check_model(proto)
    stored = {i.name: numpy_helper.to_array(i) for i in proto.graph.initializer}
    for name in ("conv1", "conv2", "fc"):
        codes = model.steps[name].codes.numpy()
        packed = stored[f"{name}.weight.packed"]
        assert packed.nbytes == -(-codes.size // 4)
        shape = codes.T.shape if name == "fc" else codes.shape  # MatMul weights are (in, out)
        np.testing.assert_array_equal(unpack(packed, shape), codes.T if name == "fc" else codes)


def test_metadata_describes_the_network(tmp_path) -> None:
    model = frozen(Plain)
    proto = export.to_qonnx(model, tmp_path / "m.onnx", metadata={"class_names": json.dumps(["a", "b"])})
    props = {p.key: p.value for p in proto.metadata_props}
    assert props["crq.frozen_hash"] == model.content_hash
    assert json.loads(props["crq.class_names"]) == ["a", "b"]
    layers = {layer["name"]: layer for layer in json.loads(props["crq.layers"])}
    assert list(layers) == ["conv1", "conv2", "fc"]
    codes = model.steps["conv2"].codes
    assert layers["conv2"]["zeros"] == int((codes == 0).sum())
    assert 0 < layers["conv2"]["entropy_bits"] <= np.log2(3)
    assert layers["conv2"]["alpha"] == float(model.steps["conv2"].alpha)


def test_exporting_twice_gives_the_same_bytes(tmp_path) -> None:
    export.to_qonnx(frozen(Residual), tmp_path / "a.onnx")
    export.to_qonnx(frozen(Residual), tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


def test_bad_arguments_are_named(tmp_path) -> None:
    with pytest.raises(ExportError, match="crq.freeze"):
        export.to_qonnx(Plain(), tmp_path / "m.onnx")
    with pytest.raises(ExportError, match="'zip'.*packed"):
        export.to_qonnx(frozen(Plain), tmp_path / "m.onnx", carrier="zip")
    assert not list(tmp_path.iterdir())


def test_sums_beyond_float32_are_refused(tmp_path) -> None:
    class Wide(nn.Module):
        shape = (150000,)

        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(150000, 2)

        def forward(self, x):
            return self.fc(x)

    with pytest.raises(ExportError, match=r"'fc'.*2\^24"):
        export.to_qonnx(frozen(Wide), tmp_path / "m.onnx")


def test_every_kind_of_step_is_written() -> None:
    assert set(WRITERS) == set(STEPS.values())
