"""Operations that only move integers, each against torch or NumPy; and convolutions between spread pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.convert import moved
from crq.convert import steps as ops
from crq.convert.consistency import check
from crq.convert.frozen import FrozenModel, InputSpec, Wire
from crq.convert.windows import outputs_first

X = torch.arange(2 * 4 * 6 * 8).reshape(2, 4, 6, 8) - 100
STEPS = {
    "channels": (moved.Channels([3, -1, 0, 0]), lambda x: np.stack([x[:, 3], 0 * x[:, 0], x[:, 0], x[:, 0]], 1)),
    "slice": (moved.Slice([1, 0], [6, 7], [2, 3]), lambda x: x[:, :, 1:6:2, 0:7:3]),
    "pad": (moved.Pad([[1, 0], [2, 3]]), lambda x: np.pad(x, [(0, 0), (0, 0), (1, 0), (2, 3)])),
    "enlarge": (moved.Enlarge([2, 3]), lambda x: np.kron(x, np.ones((1, 1, 2, 3), np.int64))),
    "shuffle": (moved.Shuffle(2), lambda x: x.reshape(2, 2, 2, 6, 8).transpose(0, 3, 1, 4, 2).reshape(2, 1, 12, 16)),
    "unshuffle": (
        moved.Unshuffle(2, 4),
        lambda x: np.stack([x[:, c, i::2, j::2] for c in range(4) for i in (0, 1) for j in (0, 1)], 1),
    ),
    "row": (moved.Row(True), lambda x: x[:, :, 0]),
    "transpose": (moved.Transpose([0, 2, 3, 1]), lambda x: np.moveaxis(x, 1, -1)),
    "flatten": (moved.Flatten(), lambda x: x.reshape(2, -1)),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_steps_move_integers(name: str) -> None:
    step, reference = STEPS[name]
    x = X[:, :, :1] if name == "row" else X
    found = step(x)
    assert found.dtype == torch.int64
    assert np.array_equal(found.numpy(), reference(x.numpy()))


@pytest.mark.parametrize("name", STEPS)
def test_shapes_are_followed(name: str) -> None:
    """The rule of a step's shape says what the step gives, and refuses what does not fit it."""
    step, _ = STEPS[name]
    x = X[:, :, :1] if name == "row" else X
    channels = step(x).shape[1]
    output = ops.Output(torch.zeros(channels, dtype=torch.int64), torch.ones(1), 1.0)
    wires = [Wire("a", ("input",)), Wire("output", ("a",))]
    check(tuple(x.shape[1:]), wires, {"a": step, "output": output})
    spec = InputSpec(tuple(x.shape[1:]), 1.0, -128, 127, 8, True)
    model = FrozenModel(spec, wires, {"a": step, "output": output})
    assert torch.equal(model.integers(x.clamp(-128, 127)), step(x.clamp(-128, 127)))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (moved.Channels([4]), "channels"),
        (moved.Slice([0, 0], [7, 8], [1, 1]), "pixels"),
        (moved.Slice([0], [6], [1]), "pixels"),
        (moved.Pad([[1, 1]]), "pads"),
        (moved.Enlarge([2]), "enlarges"),
        (moved.Shuffle(3), "blocks"),
        (moved.Unshuffle(2, 5), "blocks"),
        (moved.Unshuffle(4, 4), "blocks"),
        (moved.Row(True), "one row"),
        (moved.Row(False), "one row"),
    ],
)
def test_what_does_not_fit_is_refused(step, message: str) -> None:
    wires = [("a", ("input",)), ("output", ("a",))]
    output = ops.Output(torch.zeros(4, dtype=torch.int64), torch.ones(1), 1.0)
    with pytest.raises(Exception, match=f"step 'a': .*{message}"):
        check(tuple(X.shape[1:]), wires, {"a": step, "output": output})


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_transposed_convolutions_are_torchs(data) -> None:
    rank, groups = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    each = st.tuples(*[st.integers(1, 3)] * rank)
    kernel, stride, dilation, size = (data.draw(each) for _ in range(4))
    cut = tuple(data.draw(st.integers(0, d * (k - 1))) for k, d in zip(kernel, dilation, strict=True))
    more = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    weights = torch.randint(-1, 2, (2 * groups, 3, *kernel), generator=generator)
    x = torch.randint(-9, 10, (2, 2 * groups, *size), generator=generator)
    function = F.conv_transpose1d if rank == 1 else F.conv_transpose2d
    try:
        expected = function(x.double(), weights.double(), None, stride, cut, more, groups, dilation)
    except RuntimeError:  # nothing would be left
        return
    turned = outputs_first(weights, groups)
    assert torch.equal(outputs_first(turned, groups), weights)
    step = ops.ConvTransposed(turned, torch.ones(()), 2, 9, stride, cut, more, dilation, groups)
    assert torch.equal(step(x), expected.long())
    output = ops.Output(torch.zeros(len(turned), dtype=torch.int64), torch.ones(1), 1.0)
    check(tuple(x.shape[1:]), [("a", ("input",)), ("output", ("a",))], {"a": step, "output": output})
