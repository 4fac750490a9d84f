"""The walk behind `freeze`: from a prepared fx graph to steps on integers.

Every value in the graph is either `Codes` (integers with a power-of-two scale) or `Pending`: integers with a float
chain that the next quantizer turns into thresholds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx, nn

from crq.convert import moved
from crq.convert import steps as ops
from crq.convert.activations import ACTIVATIONS, activation_of
from crq.convert.channels import Channels
from crq.convert.ending import ending
from crq.convert.frozen import INPUT, FrozenModel, InputSpec, Wire
from crq.convert.inputs import find_preprocess, input_quantizer
from crq.convert.moving import moving
from crq.convert.pixels import Pixels, Row
from crq.convert.points import find_last
from crq.convert.preprocessing import Preprocess
from crq.convert.ranges import code_range, sum_range
from crq.convert.scaled import Scaled
from crq.convert.shapes import shape_of
from crq.convert.step import Step
from crq.convert.supported import MACS, PADS, SHUFFLES, SUMS, TRANSPOSED, UPSAMPLES, is_dropout
from crq.convert.thresholds import Chain, QuantSpec, fit
from crq.convert.transposed import Transposed
from crq.convert.values import Codes, Pending, Value
from crq.convert.windows import outputs_first, padding, spatial
from crq.errors import CrqError
from crq.quant.cluster import warn_if_spiky
from crq.quant.layers import QuantLayer, TernaryLayer
from crq.quant.quantizers import ActQuant


@dataclass
class IntegerWalk:
    """`run` gives the frozen model; `nudged` then counts, by layer, the channels whose b moved."""

    model: fx.GraphModule
    shape: tuple[int, ...]
    wires: list[Wire] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)
    nudged: dict[str, int] = field(default_factory=dict)
    last: set[fx.Node] = field(default_factory=set)
    padded: dict[str, str] = field(default_factory=dict)

    def run(self) -> FrozenModel:
        values: dict[fx.Node, Value] = {}
        quantizer = input_quantizer(self.model)
        preprocess = find_preprocess(self.model)
        spec = InputSpec(
            self.shape, quantizer.scale, quantizer.qmin, quantizer.qmax, quantizer.bits, quantizer.signed,
            () if preprocess is None else preprocess.steps(self.shape),
        )  # fmt: skip
        self.last = find_last(self.model)
        lo, hi = (np.full(self.shape[0], end, np.int64) for end in (spec.qmin, spec.qmax))
        codes = Codes(INPUT, spec.scale, lo, hi)
        for node in self.model.graph.nodes:
            if node.op == "placeholder":
                values[node] = codes
                if node in self.last:
                    values[node] = self._turned("channels_first", codes, len(self.shape) + 1, self.shape[-1], True)
            elif node.op == "output":
                self._output(values[node.args[0]], node)
            else:
                values[node] = self._node(node, values)
        return FrozenModel(spec, self.wires, self.steps)

    def _node(self, node: fx.Node, values: dict[fx.Node, Value]) -> Value:
        if node.op == "call_module":
            module = self.model.get_submodule(str(node.target))
            value = values[node.args[0]]  # type: ignore[index]
            if isinstance(value, Codes) and not isinstance(module, (*PADS, nn.Conv1d, nn.Conv2d)):
                value = self._padded(value)
            if isinstance(module, QuantLayer):
                return self._mac(node, module, value)
            if is_dropout(module):
                return value
            for kind, handler in self._handlers().items():
                if isinstance(module, kind):
                    return handler(node, module, value)
            if isinstance(module, MACS):
                raise CrqError(
                    f"layer {node.target!r} kept float weights (it is in the skip list): it can be trained but not "
                    f"frozen; make it ternary or an integer layer"
                )
            raise CrqError(f"layer {node.target!r}: {type(module).__name__} has no exact integer form here")
        if node.op == "call_function" and node.target in SUMS:
            return self._add(node, [self._operand(values[a]) for a in node.args])  # type: ignore[index]
        if node.op == "call_function" and node.target is torch.cat:
            return self._concat(node, [self._operand(values[a]) for a in node.args[0]])  # type: ignore[union-attr,index]
        raise CrqError(f"node {node.name!r}: {node.op} {node.target} has no exact integer form here")

    def _handlers(self) -> dict[type | tuple[type, ...], Callable[[fx.Node, Any, Value], Value]]:
        return {
            ActQuant: self._quantize,
            Preprocess: lambda node, module, value: value,  # the host's
            nn.modules.batchnorm._BatchNorm: self._batch_norm,
            Scaled: self._scaled,
            nn.ReLU: self._relu,
            ACTIVATIONS: self._activate,
            (nn.MaxPool1d, nn.MaxPool2d): self._max_pool,
            (nn.AvgPool1d, nn.AvgPool2d): self._average_pool,
            (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d): self._global_pool,
            nn.Flatten: self._flatten,
            Transposed: lambda node, module, value: value,  # the integers are channels first before and behind it
            (Channels, Pixels, Row, *UPSAMPLES, *SHUFFLES): self._move,
            PADS: self._pad,
        }

    def _emit(self, name: str, step: Step, *inputs: Codes) -> str:
        name = name.replace(".", "_")
        while name in self.steps:
            name += "_"
        self.steps[name] = step
        self.wires.append(Wire(name, tuple(i.name for i in inputs)))
        return name

    def _operand(self, value: Value) -> Value:
        return self._padded(value) if isinstance(value, Codes) else value

    def _need_codes(self, node: fx.Node, value: Value) -> Codes:
        if isinstance(value, Pending):
            raise CrqError(f"node {node.name!r}: its input is not quantized; crq.prepare inserts a quantizer there")
        return value

    def _mac(self, node: fx.Node, module: Any, value: Value) -> Pending:
        x = self._need_codes(node, value)
        found = module.codes()
        if not torch.isfinite(found.alpha).all():
            raise CrqError(f"layer {node.target!r}: alpha is {found.alpha}; its weights are not finite")
        if isinstance(module, TernaryLayer):
            warn_if_spiky(found, str(node.target))
        # Scales of single channels belong to their gains.
        gain = found.alpha.double().numpy() if found.alpha.dim() else None
        alpha = torch.ones(()) if found.alpha.dim() else found.alpha
        reach = int(max(abs(x.lo).max(), abs(x.hi).max()))
        constants = (alpha, int(module.weight_bits), reach)
        groups = getattr(module, "groups", 1)
        if isinstance(module, TRANSPOSED):
            turned = outputs_first(found.codes, groups)
            sizes = [spatial(module, v) for v in (module.stride, module.padding, module.output_padding)]
            step: ops.Mac = ops.ConvTransposed(
                turned, *constants, sizes[0], sizes[1], sizes[2], spatial(module, module.dilation), groups
            )
        elif not isinstance(module, nn.Linear):
            pads = padding(node, module, x.pad)
            step = ops.Conv(found.codes, *constants, module.stride, pads, module.dilation, groups)
        elif node in self.last:  # shared by the points
            axes = len(shape_of(node)) - 2
            codes = found.codes.reshape(*found.codes.shape, *[1] * axes)
            step = ops.Conv(codes, *constants, [1] * axes, [[0, 0]] * axes, [1] * axes, 1)
        else:
            step = ops.Linear(found.codes, *constants)
        name = self._emit(str(node.target), step, x)
        lo, hi = sum_range(step.codes.numpy().astype(np.int64), x.lo, x.hi, groups)
        bias = None if module.bias is None else module.bias.detach().double().numpy()
        return Pending(Codes(name, x.scale, lo, hi), np.float32(alpha), gain, bias)

    def _batch_norm(self, node: fx.Node, module: nn.BatchNorm2d, value: Value) -> Pending:
        p = value if isinstance(value, Pending) else Pending(value)
        if p.relu or p.activation is not None:
            raise CrqError(f"layer {node.target!r}: batch norm after an activation needs a quantizer between them")
        if module.running_mean is None or module.running_var is None:
            raise CrqError(f"layer {node.target!r}: batch norm without running statistics cannot be folded")
        std = (module.running_var.double() + module.eps).sqrt()
        weight = torch.ones_like(std) if module.weight is None else module.weight.detach().double()
        offset = torch.zeros_like(std) if module.bias is None else module.bias.detach().double()
        gain = (weight / std).numpy()
        shift = (offset - module.running_mean.double() * weight / std).numpy()
        return self._affine(node, p, gain, shift)

    def _scaled(self, node: fx.Node, module: Scaled, value: Value) -> Pending:
        p = value if isinstance(value, Pending) else Pending(value)
        gain, shift = (np.full(len(p.source.lo), number, np.float64) for number in module.affine())
        return self._affine(node, p, gain, shift)

    def _affine(self, node: fx.Node, p: Pending, gain: NDArray[np.float64], shift: NDArray[np.float64]) -> Pending:
        if p.pools and (gain < 0).any():
            p = self._pool_sums(node, p)
        old_bias = 0.0 if p.bias is None else p.bias
        return replace(p, gain=gain if p.gain is None else p.gain * gain, bias=old_bias * gain + shift)

    def _pool_sums(self, node: fx.Node, p: Pending) -> Pending:
        """Run the waiting max pools on the sums themselves: what follows falls in some channels."""
        if p.gain is not None and (p.gain < 0).any():
            raise CrqError(
                f"layer {node.target!r}: max pool behind a negative factor (of a batch norm, or in forward) has no "
                "exact form before what falls again, or ends the network; pool in front of the factor, or behind an "
                "activation"
            )
        source = p.source
        for pool in p.pools:
            source = source._replace(name=self._emit(f"{source.name}_pool", pool, source))
        return replace(p, source=source, pools=())

    def _relu(self, node: fx.Node, module: nn.Module, value: Value) -> Value:
        if isinstance(value, Codes):
            return value if value.lo.min() >= 0 else Pending(value, relu=True)
        return replace(value, relu=True)

    def _activate(self, node: fx.Node, module: nn.Module, value: Value) -> Pending:
        p = value if isinstance(value, Pending) else Pending(value)
        activation = activation_of(str(node.target), module)
        if p.pools and activation.function.valley is not None:
            p = self._pool_sums(node, p)
        return replace(p, activation=activation)

    def _quantize(self, node: fx.Node, module: ActQuant, value: Value) -> Codes:
        spec = QuantSpec(module.scale, module.qmin, module.qmax)
        if isinstance(value, Codes):
            same_grid = value.scale == spec.scale
            if same_grid and value.lo.min() >= spec.qmin and value.hi.max() <= spec.qmax:
                return value
            value = Pending(value)
        if value.relu and spec.qmin < 0:
            spec = spec._replace(qmin=0)
        name = str(node.target)
        source = value.source
        gain = None if value.gain is None else value.gain.astype(np.float32)
        bias = None if value.bias is None else value.bias.astype(np.float32)
        chain = Chain(
            source.scale, spec, len(source.lo), value.divisor, value.alpha, gain, bias, value.activation
        )  # fmt: skip
        found = fit(chain, source.lo, source.hi, name)
        if found.nudged.any():
            self.nudged[name] = int(np.count_nonzero(found.nudged))
        step = ops.threshold(chain, found, module)
        result = Codes(self._emit(name, step, source), spec.scale, *code_range(step, source.lo, source.hi))
        for pool in value.pools:
            result = result._replace(name=self._emit(f"{name}_pool", pool, result))
        return result

    def _max_pool(self, node: fx.Node, module: nn.MaxPool2d, value: Value) -> Value:
        stride = module.kernel_size if module.stride is None else module.stride
        step = ops.MaxPool(*(spatial(module, v) for v in (module.kernel_size, stride, module.padding)))
        if isinstance(value, Pending):
            return replace(value, pools=(*value.pools, step))
        return value._replace(name=self._emit(str(node.target), step, value))

    def _average_pool(self, node: fx.Node, module: nn.AvgPool2d, value: Value) -> Pending:
        x = self._need_codes(node, value)
        kernel, stride, pad = (spatial(module, v) for v in (module.kernel_size, module.stride, module.padding))
        size = int(np.prod(kernel))
        name = self._emit(str(node.target), ops.SumPool(kernel, stride, pad), x)
        return Pending(
            Codes(name, x.scale, np.minimum(x.lo, 0) * size, np.maximum(x.hi, 0) * size), divisor=size
        )  # fmt: skip

    def _global_pool(self, node: fx.Node, module: Any, value: Value) -> Pending:
        x = self._need_codes(node, value)
        if any(v != 1 for v in np.atleast_1d(module.output_size)):
            raise CrqError(f"layer {node.target!r}: adaptive average pool to {module.output_size}; only 1 is supported")
        pixels = int(np.prod(shape_of(node.all_input_nodes[0])[2:]))
        if max(abs(x.lo).max(), abs(x.hi).max()) * pixels >= ops.EXACT_FLOAT32:
            raise CrqError(f"layer {node.target!r}: sums over {pixels} pixels leave the exact range of float32 (2^24)")
        name = self._emit(str(node.target), ops.GlobalSum(), x)
        return Pending(Codes(name, x.scale, x.lo * pixels, x.hi * pixels), divisor=pixels)

    def _move(self, node: fx.Node, module: Any, value: Value) -> Codes:
        x, rank = self._need_codes(node, value), len(shape_of(node.all_input_nodes[0])) - 2
        step, lo, hi = moving(module, x.lo, x.hi, rank)
        return Codes(self._emit(str(node.target), step, x), x.scale, lo, hi)

    def _padded(self, x: Codes) -> Codes:
        """`x` with its zeros as pixels, for what adds none of its own; once for all its readers."""
        if not x.pad:
            return x
        key = f"{x.name}_pad{'_'.join(str(n) for end in x.pad for n in end)}"
        if key not in self.padded:
            self.padded[key] = self._emit(f"{x.name}_pad", moved.Pad(x.pad), x)
        return Codes(self.padded[key], x.scale, np.minimum(x.lo, 0), np.maximum(x.hi, 0))

    def _pad(self, node: fx.Node, module: nn.ZeroPad2d, value: Value) -> Codes:
        x, ends = self._need_codes(node, value), module.padding
        pad = tuple((ends[i], ends[i + 1]) for i in range(len(ends) - 2, -1, -2))
        held = x.pad or ((0, 0),) * len(pad)
        return x._replace(pad=tuple((a + c, b + d) for (a, b), (c, d) in zip(held, pad, strict=True)))

    def _flatten(self, node: fx.Node, module: nn.Flatten, value: Value) -> Value:
        shape = shape_of(node.all_input_nodes[0])
        pixels = int(np.prod(shape[2:]))
        if len(shape) == 2:
            return value
        if node.all_input_nodes[0] in self.last:
            value = self._turned(f"{node.target}_last", self._need_codes(node, value), len(shape), shape[1], False)
        # One pixel per channel: the float chain that waits stays per channel.
        x = value.source if isinstance(value, Pending) and pixels == 1 else self._need_codes(node, value)
        name = self._emit(str(node.target), moved.Flatten(), x)
        flat = Codes(name, x.scale, np.repeat(x.lo, pixels), np.repeat(x.hi, pixels))
        return replace(value, source=flat) if isinstance(value, Pending) else flat

    def _turned(self, name: str, x: Codes, rank: int, channels: int, to_first: bool) -> Codes:
        """Codes whose channels become another axis: all have the range of all."""
        name = self._emit(name, moved.Transpose(Transposed(rank, to_first).axes), x)
        return x._replace(name=name, lo=np.full(channels, x.lo.min()), hi=np.full(channels, x.hi.max()))

    def _aligned(self, node: fx.Node, values: list[Value]) -> tuple[list[Codes], list[int], float]:
        codes = [self._need_codes(node, v) for v in values]
        scale = min(c.scale for c in codes)
        return codes, [round(np.log2(c.scale / scale)) for c in codes], scale

    def _add(self, node: fx.Node, values: list[Value]) -> Pending:
        (x, y), shifts, scale = self._aligned(node, values)
        less = node.target is operator.sub
        name = self._emit(node.name, (ops.Subtract if less else ops.Add)(shifts), x, y)
        (a, b), (c, d) = [(v.lo << shift, v.hi << shift) for v, shift in zip((x, y), shifts, strict=True)]
        return Pending(Codes(name, scale, *((a - d, b - c) if less else (a + c, b + d))))

    def _concat(self, node: fx.Node, values: list[Value]) -> Codes:
        codes, shifts, scale = self._aligned(node, values)
        name = self._emit(node.name, ops.Concat(shifts), *codes)
        lo, hi = (
            np.concatenate([getattr(c, end) << s for c, s in zip(codes, shifts, strict=True)]) for end in ("lo", "hi")
        )
        return Codes(name, scale, lo, hi)

    def _output(self, value: Value, node: fx.Node) -> None:
        if isinstance(value, Codes):
            value = Pending(self._padded(value))
        if value.pools:
            value = self._pool_sums(node, value)
        if value.relu or value.activation is not None:
            raise CrqError(f"node {node.name!r}: an activation function without a quantizer cannot end the network")
        step, alive = ending(value)
        source = value.source
        if not alive.all():
            dead = np.broadcast_to(~alive, source.lo.shape)
            if value.alpha is None:  # sums without weights that could be zero
                index = [-1 if gone else i for i, gone in enumerate(dead)]
                source = source._replace(name=self._emit(f"{source.name}_alive", moved.Channels(index), source))
            else:
                mac = next(s for s in reversed(self.steps.values()) if isinstance(s, ops.Mac))
                mac.codes[np.flatnonzero(dead)] = 0
        self._emit("output", step, source)
