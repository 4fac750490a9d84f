"""Prepared networks under torch.compile: one graph, the same integers and gradients."""

import copy

import pytest
import torch
from torch import nn

import crq
from crq.errors import CrqError
from crq.quant import METHOD_NAMES, solve
from crq.quant.penalties import ClusterPenalty

CASES = [(method, {}) for method in METHOD_NAMES] + [
    ("crq+", {"per_channel": True}),
    ("ste", {"per_channel": True, "layers": {"3": {"integer": 4}}}),
]


def network(method: str, mode: str, **options) -> nn.Module:
    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 4)
    )
    model = crq.prepare(plain, crq.TernaryConfig(method=method, **options))
    crq.set_mode(model, mode)
    return model.train()


def images() -> torch.Tensor:
    return torch.randint(0, 256, (8, 2, 8, 8), generator=torch.Generator().manual_seed(1)).float() / 256


@pytest.mark.parametrize("mode", ["float", "quantized"])
@pytest.mark.parametrize(("method", "options"), CASES)
def test_one_graph_gives_what_eager_gives(method: str, options: dict, mode: str) -> None:
    """From the first batch, which calibrates the activation scales, on; `fullgraph` raises at a graph break."""
    torch._dynamo.reset()
    eager = network(method, mode, **options)
    model = copy.deepcopy(eager)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.05) for each in (eager, model)]
    for _ in range(3):
        for optimizer, net in zip(optimizers, (eager, compiled), strict=True):
            optimizer.zero_grad()
            net(images()).square().sum().backward()
        assert all(
            torch.equal(a.grad, b.grad) if a.grad is not None else b.grad is None
            for a, b in zip(eager.parameters(), model.parameters(), strict=True)
        )
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(eager(images()), compiled(images()))
    states = eager.state_dict(), model.state_dict()
    assert all(torch.equal(a, b) for a, b in zip(*(state.values() for state in states), strict=True))


def test_the_backward_pass_is_compiled_too() -> None:
    torch._dynamo.reset()
    eager = network("crq+", "quantized")
    eager(images())
    model = copy.deepcopy(eager)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    for net in (eager, compiled):
        net(images()).square().sum().backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(eager.parameters(), model.parameters(), strict=True))


@pytest.mark.parametrize(
    ("method", "mode"), [("crq", "float"), ("crq", "quantized"), ("crq+", "quantized"), ("ste", "float")]
)
@pytest.mark.parametrize("warm", [False, True])
def test_the_penalty_is_one_graph(method: str, mode: str, warm: bool) -> None:
    torch._dynamo.reset()
    model = network(method, mode)
    penalty, other = ClusterPenalty(model, 0.5, warm), ClusterPenalty(model, 0.5, warm)
    compiled = torch.compile(penalty.forward, fullgraph=True, backend="eager")
    for _ in range(2):
        assert torch.equal(compiled(), other())


def test_a_compiled_step_solves_once(monkeypatch: pytest.MonkeyPatch) -> None:
    torch._dynamo.reset()
    model = network("crq+", "quantized")
    solved: list[str] = []
    scale = solve.scale
    monkeypatch.setattr(
        solve, "scale", lambda w, route, name, start: solved.append(name) or scale(w, route, name, start)
    )
    torch.compile(model, fullgraph=True, backend="eager")(images()).sum().backward()
    ClusterPenalty(model, 1.0).add_gradients()
    assert solved == ["0", "3", "6"]


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_no_numbers_or_an_error(method: str, bad: float) -> None:
    model = network(method, "quantized").eval()
    with torch.no_grad():
        model.get_submodule("6").weight[1, 2] = bad
    if method in ("crq", "crq+"):
        with pytest.raises(CrqError, match="6 has non-finite weights"):
            model(images())
    else:
        assert torch.isnan(model(images())).any(1).all()
        with pytest.raises(CrqError, match="6 has non-finite weights"):
            model.get_submodule("6").clusters()
