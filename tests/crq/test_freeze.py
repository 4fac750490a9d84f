"""The frozen model against the prepared model's own arithmetic and an independent integer reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import crq
from crq.convert import steps as ops
from crq.convert.frozen import INPUT, FrozenModel
from crq.errors import CrqError
from crq.quant.layers import TernaryLayer
from tests.nets import NETWORKS, Plain, Residual, extremes, frozen, images, prepared


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


def test_logits_are_integers_times_scale() -> None:
    model = frozen(Plain)
    x = images(Plain, 8)
    expected = model.integers(x).numpy().astype(np.float32) * model.output.scale.numpy()
    np.testing.assert_array_equal(model(x).numpy(), expected)
    torch.testing.assert_close(model(x.float() / 256), model(x), rtol=0, atol=0)


@pytest.mark.parametrize("network", [Plain, Residual])
def test_exact_for_any_batch_threads_layout_and_backend(network: type[nn.Module]) -> None:
    model = frozen(network, seed=2)
    x = images(network, 33, seed=4)
    expected = model.integers(x)
    threads = torch.get_num_threads()
    try:
        for n in (1, 2, 5):
            torch.set_num_threads(n)
            assert torch.equal(model.integers(x), expected)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.cat([model.integers(x[i : i + 1]) for i in range(len(x))]), expected)
    assert torch.equal(model.integers(x.contiguous(memory_format=torch.channels_last)), expected)
    with torch.backends.mkldnn.flags(enabled=False), torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model.integers(x), expected)
        assert model(x).dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_exact_on_a_gpu(network: type[nn.Module]) -> None:
    model = frozen(network)
    x = images(network, 16)
    expected = model.integers(x)
    assert torch.equal(model.cuda().integers(x.cuda()).cpu(), expected)


def test_large_sums_leave_float32() -> None:
    """With 2^16 taps of 8-bit codes a float32 sum would round; the frozen layer does not."""
    codes = torch.ones(2, 70000, dtype=torch.int8)
    codes[1, ::2] = -1
    layer = ops.Linear(codes, torch.tensor(1.0), 2, 255)
    x = torch.full((1, 70000), 255)
    x[0, 0] = 254
    assert layer(x).tolist() == [[70000 * 255 - 1, 1]]


def test_save_and_load_round_trip(tmp_path) -> None:
    model = frozen(Residual)
    model.save(tmp_path / "frozen.pt")
    again = FrozenModel.load(tmp_path / "frozen.pt")
    x = images(Residual, 8)
    assert torch.equal(again.integers(x), model.integers(x))
    assert again.content_hash == model.content_hash
    assert [p.name for p in tmp_path.iterdir()] == ["frozen.pt"]


def test_content_hash_sees_one_flipped_code(tmp_path) -> None:
    model, other = frozen(Plain), frozen(Plain)
    assert model.content_hash == other.content_hash
    other.steps["conv1"].codes[0, 0, 0, 0] += 1 if other.steps["conv1"].codes[0, 0, 0, 0] < 1 else -1
    assert model.content_hash != other.content_hash


def test_a_tampered_file_is_refused(tmp_path) -> None:
    path = tmp_path / "frozen.pt"
    frozen(Plain).save(path)
    state = torch.load(path, weights_only=True)
    state["steps"][0]["tensors"]["codes"][0] = 0
    torch.save(state, path)
    with pytest.raises(CrqError, match="hash"):
        FrozenModel.load(path)
    path.write_bytes(b"not a model")
    with pytest.raises(CrqError, match=r"frozen\.pt: not a frozen crq model"):
        FrozenModel.load(path)
    with pytest.raises(CrqError, match="no such file"):
        FrozenModel.load(tmp_path / "missing.pt")


def test_inputs_off_the_grid_raise() -> None:
    model = frozen(Plain)
    x = images(Plain, 2).float() / 255
    with pytest.raises(CrqError, match=r"multiples of 0\.00390625"):
        model(x)
    assert model.codes(x, quantize=True).max() <= 255
    with pytest.raises(CrqError, match=r"outside \[0, 255\]"):
        model(torch.full((1, *Plain.shape), 256))
    with pytest.raises(CrqError, match="expected"):
        model(torch.zeros(1, 1, 9, 9, dtype=torch.uint8))
    with pytest.raises(CrqError, match="multiples"):
        model(torch.full((1, *Plain.shape), float("nan")))


@pytest.mark.parametrize("change", ["half", "bfloat16", "double"])
def test_dtype_changes_raise(change: str) -> None:
    with pytest.raises(CrqError, match="dtype"):
        getattr(frozen(Plain), change)()


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
