"""Freezing: close to the prepared model's own arithmetic; what has no integers is refused."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch import nn

import crq
from crq.convert import steps as ops
from crq.errors import CrqError
from crq.quant.layers import TernaryLayer
from tests.support.nets import NETWORKS, Plain, images, prepared


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_frozen_follows_the_prepared_model(network: type[nn.Module]) -> None:
    """Float evaluation rounds ties differently, so a few codes may move by one step; never more at the first layer."""
    from crq.convert.calibrate import reestimate_batch_norm

    model = prepared(network, seed=1)
    reestimate_batch_norm(model, [images(network, 16, 1).float() / 256])
    deploy = crq.freeze(model, [images(network, 16, 1)])
    x = images(network, 32, seed=5)
    name, step = next(
        (w.name, deploy.steps[w.name]) for w in deploy.wires if isinstance(deploy.steps[w.name], ops.Threshold)
    )
    module = next(m for n, m in model.named_modules() if n.replace(".", "_") == name)
    seen: list[torch.Tensor] = []
    module.register_forward_hook(lambda m, args, result: seen.append(result))
    with torch.no_grad():
        model(x.float() / 256)
    trace = deploy.trace(x)
    codes = trace.get(f"{name}_pool", trace[name])  # a max pool before the quantizer is frozen behind it
    off = (seen[0] / step.scale - codes).abs()
    assert float(off.max()) <= 1
    assert float((off > 0).float().mean()) < 0.02


def test_float_layers_cannot_be_frozen() -> None:
    model = prepared(Plain, skip=["conv1"])
    with pytest.raises(CrqError, match="'conv1' kept float weights"):
        crq.freeze(model, [images(Plain, 4)])


def test_zero_weights_are_legal() -> None:
    torch.manual_seed(0)
    net = Plain()
    for layer in (net.conv2, net.fc):
        nn.init.zeros_(layer.weight)
    model = crq.prepare(net, crq.TernaryConfig())
    crq.set_mode(model, "quantized")
    deploy = crq.freeze(model, [images(Plain, 8)])
    logits = deploy(images(Plain, 4))
    assert torch.equal(logits, logits[:1].expand_as(logits))
    assert torch.isfinite(logits).all()


def test_a_vanishing_scale_with_a_large_bias_is_refused() -> None:
    torch.manual_seed(0)
    net = Plain()
    nn.init.constant_(net.fc.weight, 1e-12)
    nn.init.constant_(net.fc.bias, 1.0)
    model = crq.prepare(net, crq.TernaryConfig())
    crq.set_mode(model, "quantized")
    with pytest.raises(CrqError, match="'fc'.*32 bits"):
        crq.freeze(model, [images(Plain, 8)])


def test_an_endless_loader_ends_and_only_some_batches_are_read() -> None:
    read = []

    def endless():
        while True:
            read.append(1)
            yield images(Plain, 8)

    deploy = crq.freeze(prepared(Plain), endless())
    assert (len(read), deploy.report.images) == (32, 256)
    deploy = crq.freeze(prepared(Plain), endless(), batches=2)
    assert (len(read), deploy.report.images) == (34, 16)
    with pytest.raises(CrqError, match="batches must be at least 1"):
        crq.freeze(prepared(Plain), endless(), batches=0)


def test_batches_are_not_kept(monkeypatch) -> None:
    monkeypatch.setattr("crq.convert.freeze.COMPARED", 20)
    alive: list[weakref.ref] = []

    class Loader:
        def __iter__(self):
            for seed in range(12):
                batch = images(Plain, 8, seed)
                alive.append(weakref.ref(batch))
                yield batch
                del batch
                assert sum(ref() is not None for ref in alive) <= 4

    deploy = crq.freeze(prepared(Plain), Loader())
    assert (len(alive), deploy.report.images) == (12, 20)


def test_results_per_pixel_are_a_share_too() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, padding=1))
    model = crq.prepare(net)
    crq.quantize(model, [images(Plain, 16)])
    report = crq.freeze(model, [images(Plain, 16)]).report
    assert 0.9 < report.equal_argmax <= 1
    assert report.images == 16


def test_empty_calibration_is_refused() -> None:
    with pytest.raises(CrqError, match="calibration images"):
        crq.freeze(prepared(Plain), [])


def test_a_layer_with_hardly_any_codes_is_warned_about() -> None:
    model = prepared(Plain)
    layer = next(m for m in model.modules() if isinstance(m, TernaryLayer))
    with torch.no_grad():
        layer.weight.fill_(1e-4).view(-1)[0] = 50.0
    with pytest.warns(UserWarning, match=r"only .*% of the ternary codes are non-zero"):
        crq.freeze(model, [images(Plain, 8)])
