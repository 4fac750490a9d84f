"""Learned scalars: decay has no hold on them; gradients, states and copies have."""

import copy

import pytest
import torch
from torch import nn

import crq
from crq.quant import learned
from crq.quant.layers import TernaryLinear
from crq.quant.quantizers import quantizers

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.5),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.5),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.5),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.5),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.1, weight_decay=0.5),
}


def scalar(start: float = -3.0) -> nn.Module:
    module = nn.Module()
    learned.learn(module, "s", torch.tensor(start))
    return module


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_decay_alone_moves_nothing(name: str) -> None:
    module = scalar()
    optimizer = OPTIMIZERS[name](module.parameters())
    for _ in range(20):
        optimizer.zero_grad()
        (learned.current(module, "s") * 0.0).backward()
        optimizer.step()
    assert float(learned.current(module, "s").detach()) == -3.0


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("training", [True, False])
def test_it_learns_what_a_parameter_without_decay_learns(name: str, training: bool) -> None:
    module, plain = scalar().train(training), nn.Parameter(torch.tensor(-3.0))
    optimizers = OPTIMIZERS[name](module.parameters()), OPTIMIZERS[name]([plain])
    optimizers[1].param_groups[0]["weight_decay"] = 0.0
    for _ in range(10):
        for optimizer, value in zip(optimizers, (learned.current(module, "s"), plain), strict=True):
            optimizer.zero_grad()
            (value - 1).square().backward()
            optimizer.step()
    assert float(learned.current(module, "s").detach()) == pytest.approx(float(plain.detach()), rel=1e-5)
    assert float(plain.detach()) != -3.0


def test_reading_without_gradients_changes_nothing() -> None:
    module = scalar()
    with torch.no_grad():
        module.s_step.fill_(0.5)
        assert float(learned.current(module, "s").detach()) == -2.5
    assert float(module.s_step.detach()) == 0.5
    assert float(learned.current(module, "s").detach()) == -2.5
    learned.assign(module, "s", 4.0)
    assert float(learned.current(module, "s").detach()) == 4.0


@pytest.mark.parametrize("method", ["crq", "ttq"])
def test_a_users_optimizer_with_decay_leaves_exponents_and_scales_alone(method: str) -> None:
    """Every parameter in one group, as users write it, and a loss that asks nothing of the scales."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))
    model = crq.prepare(net, crq.TernaryConfig(method=method))
    loader = [torch.randint(0, 256, (32, 16)).float() / 256]
    crq.quantize(model, loader)

    def scales() -> list[float]:
        found = [q.log2 for q in quantizers(model).values()]
        for layer in crq.coded_layers(model).values():
            if method == "ttq":
                found += [float(learned.current(layer, n).detach()) for n in ("scale_positive", "scale_negative")]
        return found

    before = scales()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(30):
        optimizer.zero_grad()
        (model(loader[0]).sum() * 0).backward()
        optimizer.step()
    assert scales() == before


def ternary(mode: str) -> nn.Module:
    torch.manual_seed(0)
    model = crq.prepare(nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4)), crq.TernaryConfig())
    if mode == "quantized":
        crq.quantize(model, [torch.rand(32, 16).mul(255).round() / 256])
    return model.eval()


@pytest.mark.parametrize("mode", ["float", "quantized"])
@pytest.mark.parametrize("other", ["float", "quantized"])
def test_a_state_brings_its_mode_along(tmp_path, mode: str, other: str) -> None:
    saved, fresh = ternary(mode), ternary(other)
    torch.save(saved.state_dict(), tmp_path / "state.pt")
    assert all(isinstance(value, torch.Tensor) for value in saved.state_dict().values())
    fresh.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    x = torch.rand(8, 16).mul(255).round() / 256
    assert torch.equal(fresh(x), saved(x))
    assert {layer.mode for layer in crq.coded_layers(fresh).values()} == {mode}
    for quantizer in quantizers(fresh).values():
        assert quantizer.enabled == (mode == "quantized")
        assert bool(quantizer.calibrated) == (quantizer.fixed or mode == "quantized")
        if not quantizer.fixed:
            assert quantizer.log2_scale_step.requires_grad == (mode == "quantized")


def test_a_state_without_a_mode_is_loaded_on_request_only() -> None:
    model, fresh = ternary("quantized"), ternary("quantized")
    old = {k: v for k, v in model.state_dict().items() if not k.endswith(("_extra_state", "_step"))}
    told = r"does not say whether the network is quantized.*strict=False, then call crq\.set_mode"
    with pytest.raises(RuntimeError, match=r"Missing key.*0\._extra_state"), pytest.warns(UserWarning, match=told):
        fresh.load_state_dict(old)
    fresh = ternary("float")
    with torch.no_grad():
        for quantizer in quantizers(fresh).values():
            if not quantizer.fixed:
                quantizer.log2_scale_step.fill_(7.0)
    with pytest.warns(UserWarning, match=told):
        fresh.load_state_dict(old, strict=False)
    crq.set_mode(fresh, "quantized")
    x = torch.rand(8, 16)
    assert torch.equal(fresh(x), model(x))


def test_a_copy_learns_on_its_own() -> None:
    layer = TernaryLinear.from_float(nn.Linear(4, 4), "fc", method="ttq")
    other = copy.deepcopy(layer)
    learned.assign(other, "scale_positive", 9.0)
    assert float(layer.scale_positive) != 9.0
