"""Do the steps of a frozen network fit each other? Shapes are followed without computing anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from crq.convert import moved
from crq.convert import steps as ops
from crq.convert.activations import FUNCTIONS
from crq.errors import CrqError

MOST = 1 << 28
"""Values, at most, of one step's result for one image."""

Shape = tuple[int, ...]
"""Of one image: channels first, then rows and columns, or positions, or nothing."""


def check(shape: Shape, wires: Sequence[tuple[str, Sequence[str]]], steps: Mapping[str, nn.Module]) -> None:
    """Raise `CrqError` naming the step whose tensors fit neither each other nor what it reads.

    shape: of one image. wires: (step, what it reads), in order; "input" is the image.
    """
    found = {"input": shape}
    for name, inputs in wires:
        try:
            _need(isinstance(steps[name], ops.Output) == (name == wires[-1][0]), "an Output step ends a network, only")
            found[name] = _RULES[type(steps[name])](steps[name], *(found[i] for i in inputs))
            _need(1 <= math.prod(found[name]) <= MOST, f"its result for one image has shape {found[name]}")
        except CrqError as error:
            raise CrqError(f"step {name!r}: {error}") from error


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise CrqError(what)


def _codes(step: ops.Mac) -> None:
    top = 2 ** (step.weight_bits - 1) - 1
    _need(step.codes.numel() > 0, "it has no weights")
    _need(int(step.codes.abs().max()) <= top and int(step.codes.min()) >= -top, f"its codes exceed ±{top}")


def _linear(step: Any, x: Shape) -> Shape:
    _codes(step)
    _need(step.codes.ndim == 2 and x == (step.codes.shape[1],), f"weights {tuple(step.codes.shape)} on {x}")
    return (step.codes.shape[0],)


def _conv(step: Any, x: Shape) -> Shape:
    _codes(step)
    kernel: Shape = tuple(step.codes.shape[2:])
    same_rank = {len(kernel), len(x) - 1, len(step.stride), len(step.padding), len(step.dilation)} == {len(kernel)}
    _need(bool(kernel) and same_rank and all(len(p) == 2 for p in step.padding), f"a window {kernel} on {x}")
    channels, rest = divmod(step.codes.shape[0], step.groups)
    _need(not rest and channels and x[0] == step.codes.shape[1] * step.groups, f"weights {tuple(step.codes.shape)}")
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, step.dilation, strict=True)]
    return (step.codes.shape[0], *_windows(x[1:], spans, step.stride, [sum(p) for p in step.padding]))


def _windows(sizes: Sequence[int], spans: Sequence[int], strides: Sequence[int], pads: Sequence[int]) -> list[int]:
    return [max(0, (n + p - k) // s + 1) for n, k, s, p in zip(sizes, spans, strides, pads, strict=True)]


def _pool(step: Any, x: Shape) -> Shape:
    same_rank = {len(x) - 1, len(step.kernel), len(step.stride), len(step.padding)} == {len(step.kernel)}
    _need(bool(step.kernel) and same_rank, f"a window {step.kernel} on {x}")
    small = all(2 * p <= k for p, k in zip(step.padding, step.kernel, strict=True))
    _need(small, f"padding {step.padding} of a window {step.kernel}")
    return (x[0], *_windows(x[1:], step.kernel, step.stride, [2 * p for p in step.padding]))


def _global(step: Any, x: Shape) -> Shape:
    _need(len(x) > 1, f"no pixels in {x}")
    return (x[0], *[1] * (len(x) - 1))


def _add(step: Any, x: Shape, y: Shape) -> Shape:
    _need(x == y and len(step.shifts) == 2, f"it adds {x} and {y}")
    return x


def _concat(step: Any, *inputs: Shape) -> Shape:
    _need(len({x[1:] for x in inputs}) == 1 and len(step.shifts) == len(inputs), f"it joins {inputs}")
    return (sum(x[0] for x in inputs), *inputs[0][1:])


def _transposed(step: Any, x: Shape) -> Shape:
    rank = len(x) - 1
    _need({len(step.between), len(step.padding)} == {rank}, f"strides {step.between} on {x}")
    _need(math.prod(x[1:]) * math.prod(step.between) <= MOST, f"strides {step.between} of {x}")
    return _conv(step, (x[0], *((n - 1) * s + 1 for n, s in zip(x[1:], step.between, strict=True))))


def _slice(step: Any, x: Shape) -> Shape:
    inside = len(step.slices) == len(x) - 1 and all(
        s.start < s.stop <= n for s, n in zip(step.slices, x[1:], strict=True)
    )
    _need(inside, f"it takes the pixels {step.slices} of {x}")
    return (x[0], *(len(range(s.start, s.stop, s.step)) for s in step.slices))


def _pad(step: Any, x: Shape) -> Shape:
    _need(len(step.ends) == len(x) - 1 and all(len(e) == 2 for e in step.ends), f"it pads {x} by {step.ends}")
    return (x[0], *(n + sum(e) for n, e in zip(x[1:], step.ends, strict=True)))


def _enlarge(step: Any, x: Shape) -> Shape:
    _need(len(step.factors) == len(x) - 1, f"it enlarges {x} by {step.factors}")
    return (x[0], *(n * f for n, f in zip(x[1:], step.factors, strict=True)))


def _shuffle(step: Any, x: Shape) -> Shape:
    _need(len(x) == 3 and x[0] % step.block**2 == 0, f"blocks of {step.block} of {x}")
    return (x[0] // step.block**2, x[1] * step.block, x[2] * step.block)


def _unshuffle(step: Any, x: Shape) -> Shape:
    _need(
        len(x) == 3 and (x[0], x[1] % step.block, x[2] % step.block) == (step.channels, 0, 0),
        f"blocks of {step.block} of {x}",
    )
    return (x[0] * step.block**2, x[1] // step.block, x[2] // step.block)


def _row(step: Any, x: Shape) -> Shape:
    _need(len(x) == (3 if step.to_signal else 2) and (len(x) == 2 or x[1] == 1), f"one row of {x}")
    return (x[0], x[-1]) if step.to_signal else (x[0], 1, x[1])


def _channels(step: Any, x: Shape) -> Shape:
    _need(bool(step.index) and max(step.index) < x[0], f"it chooses channels {step.index} of {x[0]}")
    return (len(step.index), *x[1:])


def _transpose(step: Any, x: Shape) -> Shape:
    _need(sorted(step.axes) == list(range(len(x) + 1)) and step.axes[0] == 0, f"axes {step.axes} of {x}")
    return tuple(x[axis - 1] for axis in step.axes[1:])


def _flatten(step: Any, x: Shape) -> Shape:
    return (math.prod(x),)


def _threshold(step: Any, x: Shape) -> Shape:
    channels, count = step.table.shape
    _need(channels == x[0] == len(step.signs), f"{channels} channels, its input {x[0]}")
    _need(count == step.qmax - step.qmin > 0, f"{count} thresholds for codes from {step.qmin} to {step.qmax}")
    _need(_ascends(step.table), "its thresholds do not ascend")
    _need(bool((step.signs.abs() == 1).all()), "its signs are not ±1")
    chain = len(step.alpha) in (0, 1) and {len(step.gain), len(step.bias)} <= {0, x[0]}
    _need(chain, "its float chain has other channels")
    return x


def _activated(step: Any, x: Shape) -> Shape:
    falls = FUNCTIONS[step.params["kind"]].valley is not None
    _need(step.fall.shape == (x[0], step.table.shape[1] * falls) and _ascends(step.fall), "its falling thresholds")
    _need(all(len(c) in (1, x[0]) for c in step.params["constants"]), "the constants of its function")
    return _threshold(step, x)


def _ascends(table: Any) -> bool:
    return bool((table[:, 1:] >= table[:, :-1]).all())


def _output(step: Any, x: Shape) -> Shape:
    _need(len(step.bias) == x[0] and len(step.scale) in (1, x[0]), f"{len(step.bias)} channels, its input {x[0]}")
    return x


_RULES: dict[type, Callable[..., Shape]] = {
    ops.Linear: _linear, ops.Conv: _conv, ops.MaxPool: _pool, ops.SumPool: _pool, ops.GlobalSum: _global,
    ops.Add: _add, ops.Subtract: _add, ops.Concat: _concat, moved.Channels: _channels, moved.Flatten: _flatten,
    moved.Slice: _slice, moved.Pad: _pad, moved.Enlarge: _enlarge, moved.Shuffle: _shuffle,
    moved.Unshuffle: _unshuffle, moved.Row: _row, ops.ConvTransposed: _transposed, ops.Threshold: _threshold,
    ops.Activated: _activated, moved.Transpose: _transpose,
    ops.Output: _output,
}  # fmt: skip
"""The shape of each kind's result."""
