"""How many bits of codes a layer's sums have room for, and that networks within it freeze."""

from __future__ import annotations

import re
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import crq
from crq.convert.resolution import FEWEST, LIMITS, code_bits, largest_sum, narrowed
from crq.errors import CrqError
from crq.quant.layers import INTEGER, TERNARY

LAYERS = (
    (nn.Linear(5, 3), (2, 5)), (nn.Conv2d(4, 6, 3, groups=2, padding=1), (1, 4, 5, 5)), (nn.Conv1d(2, 3, 4), (1, 2, 9)),
    (nn.ConvTranspose2d(4, 6, 3, groups=2), (1, 4, 5, 5)),
)  # fmt: skip


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
@pytest.mark.parametrize("bits", [2, 8])
def test_the_largest_sum_is_reached(layer: nn.Module, shape: tuple[int, ...], bits: int) -> None:
    top, kind = (1, TERNARY) if bits == 2 else (127, INTEGER)
    coded = kind[type(layer)].from_float(layer, "a", **({} if bits == 2 else {"bits": bits}))
    with torch.no_grad():
        layer.weight.fill_(top)
        layer.bias.zero_()
        assert largest_sum(coded, 15) == int(layer(torch.full(shape, 15.0)).max())


@given(st.integers(1, 2**30), st.integers(5, 8), st.booleans())
def test_narrowed_weights_leave_room(largest: int, bits: int, inner: bool) -> None:
    assert code_bits(largest, inner) >= FEWEST
    fewer = narrowed(8, largest, bits, inner)
    assert code_bits(int(largest * 2.0 ** (fewer - 8)), inner) >= bits
    if fewer < 8:
        assert code_bits(int(largest * 2.0 ** (fewer + 1 - 8)) + 1, inner) < bits
    assert [code_bits(2 ** int(limit)) >= width for width, limit in LIMITS.items()] == [True] * len(LIMITS)


def wide(act: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 32), nn.BatchNorm1d(32), act, nn.Linear(32, 4))


def test_codes_without_room_are_warned_about_with_a_remedy_that_works() -> None:
    x = torch.randint(0, 256, (64, 784), dtype=torch.uint8)
    with pytest.warns(UserWarning, match="layer '0' has sums up to 25,389,840, on which codes of 8 bits may") as told:
        model = crq.prepare(wide(nn.ReLU()), crq.TernaryConfig(act_bits=8, integer={"first": 8}))
    crq.quantize(model, [x])
    with pytest.raises(CrqError, match="layer '0_quant', channel .* give the layer in front fewer bits of weights"):
        crq.freeze(model, [x])
    found = re.search(r"add '0': {'integer': (\d)} at the end of layers, or set act_bits = (\d)$", str(told[0].message))
    assert found is not None
    weights, codes = map(int, found.groups())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bits, layers in ((8, {"0": {"integer": 8}, "0*": {"integer": weights}}), (codes, {})):
            config = crq.TernaryConfig(act_bits=bits, integer={"*": 8}, layers=layers)
            model = crq.prepare(wide(nn.ReLU()), config)
            crq.quantize(model, [x])
            assert crq.freeze(model, [x])(x).std() > 0


def test_fewer_bits_beneath_a_function_are_told() -> None:
    config = crq.TernaryConfig(act_bits=8, integer={"first": 8})
    with pytest.warns(
        UserWarning, match=r"'0' has sums up to 25,389,840, .* reads codes of 6 bits.* {'integer': 4}}? at"
    ):
        crq.prepare(wide(nn.SiLU()), config)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crq.prepare(wide(nn.SiLU()), crq.TernaryConfig(act_bits=8, integer={"first": 4}))


def test_a_pool_in_front_changes_no_room() -> None:
    net = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), *wide(nn.ReLU()))
    with pytest.warns(UserWarning, match="layer '2' has sums up to 25,389,840"):
        crq.prepare(net, crq.TernaryConfig(act_bits=8, pool_bits=8, integer={"2": 8}))


def test_inner_layers_have_more_room() -> None:
    def net(width: int) -> nn.Sequential:
        front = nn.Linear(16, width), nn.BatchNorm1d(width), nn.ReLU()
        return nn.Sequential(*front, nn.Linear(width, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 4))

    config = crq.TernaryConfig(act_bits=8, integer={"3": 8})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = crq.prepare(net(180), config)
    x = torch.randint(0, 256, (64, 16), dtype=torch.uint8)
    crq.quantize(model, [x])
    assert crq.freeze(model, [x])(x).std() > 0
    with pytest.warns(UserWarning, match="layer '3' has sums up to 10,363,200, .* or set act_bits = 7$"):
        crq.prepare(net(320), config)


def test_a_layer_called_input_is_no_input() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.input, self.norm, self.hidden = nn.Linear(64, 160), nn.BatchNorm1d(160), nn.Linear(160, 16)
            self.last = nn.Linear(16, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(torch.relu(self.hidden(torch.relu(self.norm(self.input(x))))))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crq.prepare(Net(), crq.TernaryConfig(act_bits=8, integer={"hidden": 8}))


class Block(nn.Module):
    """A residual block as wide as those of large networks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem, self.c1, self.c2 = (
            nn.Conv2d(3, width, 1),
            nn.Conv2d(width, width, 3, padding=1),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.n0, self.n1, self.n2 = (nn.BatchNorm2d(width) for _ in range(3))
        self.fc = nn.Linear(width, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.n0(self.stem(x)))
        y = self.n2(self.c2(torch.relu(self.n1(self.c1(x)))))
        return self.fc(torch.relu(y + x).mean((2, 3)))


def test_inner_integer_layers_are_left_to_freeze() -> None:
    torch.manual_seed(0)
    x = torch.randint(0, 256, (16, 3, 5, 5), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = crq.prepare(Block(256), crq.TernaryConfig(integer={"*": 8}))
    crq.quantize(model, [x])
    assert crq.freeze(model, [x])(x).std() > 0


@pytest.mark.parametrize("act", [nn.SiLU, nn.Tanh, nn.Sigmoid])
@pytest.mark.parametrize("integer", [{}, {"first": 8}])
def test_wide_layers_freeze_before_functions(act: type[nn.Module], integer: dict[str, int]) -> None:
    x = torch.randint(0, 256, (64, 784), dtype=torch.uint8)
    model = crq.prepare(wide(act()), crq.TernaryConfig(integer=integer))
    crq.quantize(model, [x])
    assert crq.freeze(model, [x])(x).std() > 0


def test_moved_codes_are_codes() -> None:
    """What moves sums moves the codes of a quantizer before it."""
    net = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.Upsample(scale_factor=2), nn.Conv2d(32, 32, 3), nn.BatchNorm2d(32),
        nn.SiLU(), nn.Conv2d(32, 4, 3),
    )  # fmt: skip
    model = crq.prepare(net, crq.TernaryConfig(act_bits=6, integer={"*": 8}))
    assert {q.bits for name, q in model.named_modules() if name.startswith(("0_quant", "3_quant"))} == {6, 8}


class Read(nn.Module):
    """Sums that a function and another layer read, in either order."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.i, self.n, self.a, self.b = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
        self.f, self.first = nn.SiLU(), first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.n(self.i(x))
        if self.first:
            p = self.a(self.f(y))
            return p + self.b(y)
        q = self.b(y)
        return self.a(self.f(y)) + q


@pytest.mark.parametrize("first", [False, True])
def test_what_a_function_reads_is_its_own(first: bool) -> None:
    model = crq.prepare(Read(first), crq.TernaryConfig(integer={"i": 8}))
    reads = {
        str(node.target): model.get_submodule(str(node.all_input_nodes[0].target))
        for node in model.graph.nodes
        if node.op == "call_module" and node.target in ("f", "b")
    }
    assert {name: quantizer.bits for name, quantizer in reads.items()} == {"f": 8, "b": 4}
