"""λ·J: its value, Eq. 11's gradient, and why Adam needs it decoupled."""

import copy

import pytest
import torch
from torch import nn

import crq
from crq.errors import CrqError
from crq.quant import METHOD_NAMES, cluster, solve
from crq.quant.layers import TernaryLinear
from crq.quant.penalties import ClusterPenalty, layer_statistics


def model_float() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))


def model() -> nn.Module:
    return crq.prepare(model_float(), crq.TernaryConfig(method="crq"))


def layers(net: nn.Module) -> list[TernaryLinear]:
    return list(crq.coded_layers(net).values())


def test_value_is_lambda_times_the_sum_of_costs() -> None:
    net = model()
    expected = 0.25 * sum(layer.clusters().cost(layer.weight) for layer in layers(net))
    assert float(ClusterPenalty(net, 0.25)().detach()) == pytest.approx(expected, rel=1e-5)


def test_gradient_is_equation_11() -> None:
    net = model()
    ClusterPenalty(net, 0.25)().backward()
    through_loss = [layer.weight.grad.clone() for layer in layers(net)]
    for layer, grad in zip(layers(net), through_loss, strict=True):
        assert torch.allclose(grad, 0.25 * (layer.weight - layer.clusters().dequantized()), atol=1e-7)
        layer.weight.grad = None
    ClusterPenalty(net, 0.25).add_gradients()
    for layer, grad in zip(layers(net), through_loss, strict=True):
        assert torch.allclose(layer.weight.grad, grad, atol=1e-7)
    ClusterPenalty(net, 0.25).add_gradients()  # adds to what is there
    assert torch.allclose(layers(net)[0].weight.grad, 2 * through_loss[0], atol=1e-7)


def test_decoupled_step_is_one_step_of_sgd() -> None:
    a, b = model(), model()
    sgd = torch.optim.SGD(a.parameters(), lr=0.1)
    ClusterPenalty(a, 0.5).add_gradients()
    sgd.step()
    ClusterPenalty(b, 0.5).step(torch.optim.Adam(b.parameters(), lr=0.1))
    for x, y in zip(layers(a), layers(b), strict=True):
        assert torch.allclose(x.weight, y.weight, atol=1e-7)


def moved(lam: float, decoupled: bool) -> torch.Tensor:
    """How far one Adam step moves the first layer's weights when the penalty is all there is to do."""
    net = model()
    penalty, adam = ClusterPenalty(net, lam), torch.optim.Adam(net.parameters(), lr=0.01, eps=1e-12)
    weight = layers(net)[0].weight
    before = weight.detach().clone()
    if decoupled:
        penalty.step(adam)
    else:
        penalty.add_gradients()
        adam.step()
    return weight.detach() - before


def test_adam_divides_lambda_away_unless_decoupled() -> None:
    assert torch.allclose(moved(1e-3, decoupled=False), moved(1.0, decoupled=False), rtol=1e-3)
    assert torch.allclose(1000 * moved(1e-3, decoupled=True), moved(1.0, decoupled=True), rtol=1e-2, atol=1e-5)
    assert float(moved(1.0, decoupled=True).abs().max()) > 1e-4


def test_retraining_clusters_the_weights() -> None:
    net = model()
    before = layer_statistics(net)
    penalty, sgd = ClusterPenalty(net, 1.0), torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(50):
        sgd.zero_grad()
        penalty().backward()
        sgd.step()
    for name, row in layer_statistics(net).items():
        assert row["cost"] < 1e-3 * before[name]["cost"]
        assert 0 < row["zeros"] < 1
        assert row["alpha"] > 0


def test_share_of_codes_that_changed() -> None:
    net = model()
    codes: dict[str, torch.Tensor] = {}
    assert all("changed" not in row for row in layer_statistics(net, codes).values())
    assert all(row["changed"] == 0 for row in layer_statistics(net, codes).values())
    name, layer = "0", layers(net)[0]
    assert set(codes) == {"0", "2"}
    with torch.no_grad():
        layer.weight[0] = -layer.weight[0]  # the codes are odd in the weights
    flipped = int((codes[name][0] != 0).sum())
    row = layer_statistics(net, codes)
    assert flipped
    assert row[name]["changed"] == pytest.approx(flipped / layer.weight.numel())
    assert row["2"]["changed"] == 0
    assert layer_statistics(net, codes)[name]["changed"] == 0  # compared with the call before


def test_warm_start_is_kept_in_the_checkpoint() -> None:
    net = model()
    penalty = ClusterPenalty(net, 1.0, warm=True)
    penalty.add_gradients()
    other = ClusterPenalty(net, 1.0, warm=True)
    other.load_state_dict(penalty.state_dict())
    assert set(other.get_extra_state()) == {"0", "2"}
    assert other.get_extra_state() == penalty.get_extra_state()


def test_fine_tuning_pulls_to_the_clusters_of_the_forward_pass() -> None:
    """Two modes, where Algorithm 1's optimum is not the global one that crq+ computes with."""
    net = crq.prepare(nn.Sequential(nn.Linear(40, 5)), crq.TernaryConfig(method="crq+", act_bits=None))
    layer, penalty = layers(net)[0], ClusterPenalty(net, 1.0)
    with torch.no_grad():
        layer.weight.fill_(0.2)
        layer.weight[:, :4] = 2.0
    local = cluster.alternate(layer.weight).dequantized()
    assert torch.equal(penalty.pull("0"), layer.weight - local)
    crq.set_mode(net, "quantized")
    used = layer.used_weight().detach()
    assert not torch.equal(used, local)
    assert torch.equal(penalty.pull("0"), layer.weight - used)


@pytest.mark.parametrize("method", ["crq", "crq+"])
@pytest.mark.parametrize("mode", ["float", "quantized"])
def test_the_pull_is_solved_for_the_weights_as_they_are(method: str, mode: str) -> None:
    """Whatever changed them: a fused optimizer and `.data` leave a tensor's version as it was."""
    net = crq.prepare(model_float(), crq.TernaryConfig(method=method))
    penalty = ClusterPenalty(net, 1.0)
    crq.set_mode(net, mode)
    for name, layer in penalty.layers.items():
        layer.used_weight()
        layer.weight.data.mul_(3)
        assert torch.equal(penalty.pull(name), layer.weight - layer.clusters().dequantized())


def test_fine_tuning_solves_once_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    net = crq.prepare(model_float(), crq.TernaryConfig(method="crq+"))
    crq.set_mode(net, "quantized")
    solved: list[str] = []
    scale = solve.scale
    monkeypatch.setattr(
        solve, "scale", lambda w, route, name, start: solved.append(name) or scale(w, route, name, start)
    )
    net(torch.rand(4, 16)).sum().backward()
    ClusterPenalty(net, 1.0).add_gradients()
    assert solved == ["0", "2"]
    with torch.inference_mode():
        copy.deepcopy(net)(torch.rand(4, 16))


def test_a_warm_start_survives_weights_that_shrank() -> None:
    net = model()
    penalty = ClusterPenalty(net, 1.0, warm=True)
    penalty.add_gradients()
    with torch.no_grad():
        for layer in layers(net):
            layer.weight.mul_(0.01)
    for name, layer in penalty.layers.items():
        assert torch.equal(penalty.pull(name), layer.weight - layer.clusters().dequantized())


def test_frozen_weights_stay_as_they_are() -> None:
    net = model()
    kept = layers(net)[0].weight.requires_grad_(False).clone()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    penalty = ClusterPenalty(net, 1.0)
    (net(torch.rand(4, 16)).sum() + penalty()).backward()
    penalty.add_gradients()
    optimizer.step()
    penalty.step(optimizer)
    assert torch.equal(layers(net)[0].weight, kept)


def test_per_channel_targets() -> None:
    net = crq.prepare(nn.Sequential(nn.Linear(16, 12)), crq.TernaryConfig(method="crq", per_channel=True))
    ClusterPenalty(net, 1.0).add_gradients()
    layer = layers(net)[0]
    assert torch.allclose(layer.weight.grad, layer.weight - layer.clusters().dequantized())


def test_errors() -> None:
    with pytest.raises(CrqError, match=r"no ternary layer.*crq\.prepare"):
        ClusterPenalty(nn.Linear(2, 2))
    for lam in (-1.0, 1e300, float("inf"), float("nan")):
        with pytest.raises(CrqError, match="lam must be a number from 0 to 1e"):
            ClusterPenalty(model(), lam)
    net = model()
    with pytest.raises(CrqError, match="layer '0' is not among the optimizer's parameters"):
        ClusterPenalty(net).step(torch.optim.Adam([nn.Parameter(torch.zeros(1))]))
    with torch.no_grad():
        layers(net)[1].weight.fill_(float("nan"))
    with pytest.raises(CrqError, match="2 has non-finite weights"):
        ClusterPenalty(net).add_gradients()


SCALES = [(method, each) for method in METHOD_NAMES for each in (False, True) if (method, each) != ("ttq", True)]
"""Every method, with one scale and with one per channel, which ttq has not."""


@pytest.mark.parametrize("mode", ["float", "quantized"])
@pytest.mark.parametrize(("method", "per_channel"), SCALES)
def test_the_pull_keeps_the_codes_of_the_forward_pass(method: str, per_channel: bool, mode: str) -> None:
    """crq+ retrains towards Algorithm 1's clusters, as the paper does, and computes with the global optimum."""
    torch.manual_seed(4)
    config = crq.TernaryConfig(method=method, per_channel=per_channel, act_bits=None)
    net = crq.prepare(nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 8)), config)
    crq.set_mode(net, mode)
    penalty = ClusterPenalty(net, 1.0)
    for name, layer in penalty.layers.items():
        target = (layer.weight - penalty.pull(name)).detach()
        target[target.abs() < 1e-7] = 0  # w − (w − 0) is exact, w − (w − α) off by a rounding
        if (method, mode, per_channel) == ("crq+", "float", False):
            expected = cluster.alternate(layer.weight).codes
        else:
            layer.mode = "quantized"
            expected = layer.used_weight().detach().sign()
        assert torch.equal(target.sign(), expected.float().sign())
        if not per_channel:
            kept = layer.weight.detach().abs()[expected != 0]
            assert torch.allclose(target.abs()[expected != 0], kept.mean())


def test_pulling_a_layer_leaves_its_codes_where_they_are() -> None:
    for method in ("ste", "twn", "ttq"):
        torch.manual_seed(0)
        net = crq.prepare(nn.Sequential(nn.Linear(64, 48)), crq.TernaryConfig(method=method, act_bits=None))
        (layer,) = layers(net)
        before = layer.clusters().codes
        penalty, sgd = ClusterPenalty(net, 1.0), torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(50):
            sgd.zero_grad()
            penalty().backward()
            sgd.step()
        assert (layer.clusters().codes != before).float().mean() < 0.02, method
