"""Features last: what is understood, and what is refused with a remedy that works."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import crq
from crq.convert.points import find_last
from crq.convert.shapes import infer_shapes
from crq.errors import CrqError

POINTS = torch.randint(0, 256, (4, 5, 3), generator=torch.Generator().manual_seed(0)).float() / 256


class Net(nn.Module):
    """Layers of 3 and 6 features, and a forward given by the test."""

    def __init__(self, forward: Callable) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.head = nn.Linear(3, 6), nn.Linear(6, 6), nn.Linear(6, 4)
        self.conv, self.conv3 = nn.Conv1d(6, 6, 1), nn.Conv1d(3, 6, 1)
        self.norm, self.slopes, self.of_points = nn.BatchNorm1d(6), nn.PReLU(5), nn.BatchNorm1d(5)
        self.body = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self, x)


def summed(net: Net, x: Tensor) -> Tensor:
    return (net.b(x) + x).relu()


UNDERSTOOD = {
    "shared layers": lambda net, x: net.head(net.b(net.a(x).relu()).amax(1)),
    "there and back": lambda net, x: net.head(net.b(net.norm(net.a(x).mT).mT.relu()).amax(1)),
    "points last first": lambda net, x: net.head(net.b(net.conv3(x.transpose(1, 2)).transpose(1, 2).relu()).mean(1)),
    "then a convolution": lambda net, x: net.head(net.conv(net.a(x).transpose(1, 2)).relu().amax(2)),
    "a sum": lambda net, x: net.head(summed(net, net.a(x).relu()).amax(1)),
    "scores of points": lambda net, x: net.head(net.a(x).relu()).transpose(1, 2),
}
REFUSED = {
    "points for channels": (lambda net, x: net.head(net.of_points(net.a(x)).relu().amax(1)), "'of_points' reads"),
    "slopes of points": (lambda net, x: net.head(net.slopes(net.a(x)).amax(1)), "'slopes' reads"),
    "a view": (lambda net, x: net.conv(net.a(x).relu().reshape(-1, 6, 5)).amax(2), "must be"),
    "scores at the end": (lambda net, x: net.head(net.a(x).relu()), r"return x\.transpose\(1, 2\), classes first"),
}


def assert_frozen_alike(model: nn.Module) -> None:
    """The frozen network differs by the rounding of its last bias alone."""
    frozen = crq.freeze(model, [POINTS])
    found, live = frozen(POINTS), model.eval()(POINTS).detach()
    assert found.shape == live.shape
    assert found.std() > 0
    assert float((found - live).abs().max()) <= 0.501 * float(frozen.output.scale.max())


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_float_mode_is_the_users_network_and_frozen_is_the_quantized_one(case: str) -> None:
    net = Net(UNDERSTOOD[case])
    model = crq.prepare(net, crq.TernaryConfig(), POINTS)
    assert torch.allclose(model.eval()(POINTS), net.eval()(POINTS), atol=1e-6)
    crq.quantize(model.train(), [POINTS])
    if case != "there and back":  # freeze estimates batch norms anew
        assert_frozen_alike(model)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_ambiguous_is_refused(case: str) -> None:
    body, message = REFUSED[case]
    with pytest.raises(CrqError, match=message):
        crq.prepare(Net(body), example_input=POINTS)


def test_the_remedy_for_mixed_positions_works() -> None:
    wrong = nn.Sequential(nn.Conv1d(3, 5, 1), nn.ReLU(), nn.Linear(5, 5), nn.Flatten(), nn.Linear(25, 2))
    with pytest.raises(CrqError, match=r"layer '2' \(Linear\) reads \(N, channels, …\).*x\.transpose\(1, 2\)"):
        crq.prepare(wrong, example_input=POINTS.mT)
    right = Net(lambda net, x: net.head(net.b(net.conv3(x).relu().transpose(1, 2)).amax(1)))
    crq.prepare(right, example_input=POINTS.mT)


def test_the_input_is_last_where_its_first_reader_takes_it_so() -> None:
    for case, last in (("shared layers", True), ("points last first", True)):
        model = crq.prepare(Net(UNDERSTOOD[case]), crq.TernaryConfig(), POINTS).eval()
        infer_shapes(model, POINTS)
        start = next(iter(model.graph.nodes))
        assert (start in find_last(model)) == last
    images = crq.prepare(nn.Sequential(nn.Conv1d(5, 4, 1), nn.Flatten(), nn.Linear(12, 2)), example_input=POINTS).eval()
    infer_shapes(images, POINTS)
    assert not find_last(images)


def test_without_an_example_the_order_is_found_by_freeze() -> None:
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 4), nn.Flatten(), nn.Linear(20, 2))
    model = crq.prepare(net)
    crq.quantize(model, [POINTS])
    assert_frozen_alike(model)
