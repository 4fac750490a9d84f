"""Every step of a frozen network against an independent integer reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from crq.convert import steps as ops
from crq.convert.frozen import INPUT, FrozenModel
from tests.support.nets import NETWORKS, extremes, frozen, images


def reference(model: FrozenModel, codes: np.ndarray) -> np.ndarray:
    """The frozen network in int64 NumPy, from the contract, not from the product's steps: plain loops over taps."""
    values = {INPUT: codes.astype(np.int64)}
    for wire in model.wires:
        step, inputs = model.steps[wire.name], [values[i] for i in wire.inputs]
        x = inputs[0]
        if isinstance(step, ops.Linear):
            y = x @ step.codes.numpy().astype(np.int64).T
        elif isinstance(step, ops.Conv):
            y = conv_reference(x, step)
        elif isinstance(step, ops.Threshold):
            y = np.empty_like(x)
            for c in range(x.shape[1]):
                y[:, c] = step.qmin
                for t in step.table[c].tolist():
                    y[:, c] += int(step.signs[c]) * x[:, c] >= t
        elif isinstance(step, ops.MaxPool | ops.SumPool):
            y = pool_reference(x, step)
        elif isinstance(step, ops.GlobalSum):
            y = x.sum(axis=tuple(range(2, x.ndim)), keepdims=True)
        elif isinstance(step, ops.Add):
            y = sum(v * 2**s for v, s in zip(inputs, step.shifts, strict=True))
        elif isinstance(step, ops.Concat):
            y = np.concatenate([v * 2**s for v, s in zip(inputs, step.shifts, strict=True)], 1)
        elif isinstance(step, ops.Flatten):
            y = x.reshape(len(x), -1)
        else:
            assert isinstance(step, ops.Output)
            y = x + step.bias.numpy().reshape(-1, *[1] * (x.ndim - 2))
        values[wire.name] = y
    return values[model.wires[-1].name]


def conv_reference(x: np.ndarray, step: ops.Conv) -> np.ndarray:
    w = step.codes.numpy().astype(np.int64)
    x = np.pad(x, [(0, 0), (0, 0), *(tuple(p) for p in step.padding)])
    if w.ndim == 3:
        return _conv2d(x[:, :, None], w[:, :, None], (1, *step.stride), (1, *step.dilation), step.groups)[:, :, 0]
    return _conv2d(x, w, step.stride, step.dilation, step.groups)


def _conv2d(x, w, stride, dilation, groups):
    n, c, height, width = x.shape
    out, per_group, kh, kw = w.shape
    oh = (height - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (width - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, out, oh, ow), np.int64)
    for o in range(out):
        first = o // (out // groups) * per_group
        for i in range(per_group):
            for a in range(kh):
                for b in range(kw):
                    rows = slice(a * dilation[0], a * dilation[0] + (oh - 1) * stride[0] + 1, stride[0])
                    columns = slice(b * dilation[1], b * dilation[1] + (ow - 1) * stride[1] + 1, stride[1])
                    y[:, o] += w[o, i, a, b] * x[:, first + i, rows, columns]
    return y


def pool_reference(x: np.ndarray, step: ops.MaxPool | ops.SumPool) -> np.ndarray:
    sums = isinstance(step, ops.SumPool)
    fill = 0 if sums else np.iinfo(np.int64).min
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in step.padding)], constant_values=fill)
    size = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], step.kernel, step.stride, strict=True)]
    y = np.zeros((*x.shape[:2], *size), np.int64)
    for index in np.ndindex(*size):
        window = tuple(slice(i * s, i * s + k) for i, s, k in zip(index, step.stride, step.kernel, strict=True))
        values = x[(slice(None), slice(None), *window)].reshape(*x.shape[:2], -1)
        y[(slice(None), slice(None), *index)] = values.sum(-1) if sums else values.max(-1)
    return y


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize(
    "config", [{}, {"act_bits": 1}, {"act_bits": 2}, {"act_bits": 8}, {"integer": {"first": 8, "last": 4}}], ids=str
)
def test_frozen_equals_integer_reference(network: type[nn.Module], config: dict) -> None:
    model = frozen(network, seed=3, **config)
    x = torch.cat([images(network, 24, seed=9), extremes(network)])
    np.testing.assert_array_equal(model.integers(x).numpy(), reference(model, x.numpy()))


def test_axes_in_another_order() -> None:
    x = torch.arange(24).reshape(2, 3, 4)
    assert np.array_equal(ops.Transpose([0, 2, 1])(x).numpy(), np.swapaxes(x.numpy(), 1, 2))


def test_large_sums_leave_float32() -> None:
    """With 2^16 taps of 8-bit codes a float32 sum would round; the frozen layer does not."""
    codes = torch.ones(2, 70000, dtype=torch.int8)
    codes[1, ::2] = -1
    layer = ops.Linear(codes, torch.tensor(1.0), 2, 255)
    x = torch.full((1, 70000), 255)
    x[0, 0] = 254
    assert layer(x).tolist() == [[70000 * 255 - 1, 1]]
