"""`prepare`: a user's module with coded layers and activation quantizers in place, weights kept."""

from __future__ import annotations

import copy
import operator
import warnings
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.parameter import is_lazy

from crq.convert.activations import ACTIVATIONS, activation_of
from crq.convert.config import TernaryConfig
from crq.convert.inputs import InputQuant, find_preprocess, share_told, watched
from crq.convert.preprocessing import Preprocess
from crq.convert.resolution import code_bits, doubt, largest_sum, too_dense
from crq.convert.rewriter import add_module, name_of
from crq.convert.scaled import Scaled
from crq.convert.shapes import infer_shapes
from crq.convert.supported import (
    ADAPTIVE,
    AVG_POOLS,
    MACS,
    MAX_POOLS,
    MOVES,
    NONLINEAR,
    NORMS,
    RELUS,
    check_exact,
    is_dropout,
)
from crq.convert.swap import swap, swap_in_place
from crq.convert.trace import trace
from crq.convert.transposed import Transposed
from crq.errors import CrqError, non_finite, users_line
from crq.quant.layers import QuantLayer
from crq.quant.quantizers import ActQuant


def prepare(model: nn.Module, config: TernaryConfig | None = None, example_input: Tensor | None = None) -> nn.Module:
    """A copy of `model` whose layers train towards codes, with quantizers on every value that crosses a layer.

    model: any module of supported layers (docs/training.md); it is not changed. config: see `TernaryConfig`; with
    act_bits=None every module is taken as it is and its weights alone become codes. example_input: an optional input
    batch. With it the model's code may depend on shapes; it is run once to check the shapes and the input grid, which
    is warned about if it changes what comes in. A normalization of the input by constants is left to the host. The
    result, a torch.fx GraphModule but for act_bits=None, starts in float mode; `set_mode` and `quantize` switch it.
    Raises `CrqError` naming the module for whatever is not supported, before any training.
    """
    _check_kinds(model, config, example_input)
    config = config or TernaryConfig()
    _check_modules(model)
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise non_finite(name)
    if config.act_bits is None:
        return _for_training(copy.deepcopy(model), config, example_input)
    traced = trace(copy.deepcopy(model), example_input)
    swap(traced, _called(traced), config)
    check_exact(traced)
    _Placer(traced, config).run()
    traced.graph.lint()
    traced.recompile()
    set_mode(traced, "float")
    if example_input is not None:
        rehearsed = copy.deepcopy(traced).eval()
        with watched(rehearsed, "crq.prepare(example_input=…)"):
            infer_shapes(rehearsed, example_input)
        share_told(traced, rehearsed)
        if (preprocess := find_preprocess(traced)) is not None:
            preprocess.steps(example_input.shape[1:])
    return traced


def _check_kinds(model: object, config: object, example_input: object) -> None:
    if not isinstance(model, nn.Module):
        raise CrqError(f"prepare takes an nn.Module, not {_kind(model)}")
    if coded_layers(model):
        raise CrqError("the model is the result of crq.prepare already: train it, or prepare the one it was made of")
    if config is not None and not isinstance(config, TernaryConfig):
        raise CrqError(f"config: expected a TernaryConfig, as crq.TernaryConfig(method='ste'), not {_kind(config)}")
    # Tuples and lists are for several inputs, of which the tracer speaks.
    if not isinstance(example_input, Tensor | tuple | list | None):
        raise CrqError(f"example_input: expected a tensor of images [N, …], not {_kind(example_input)}")


def _kind(value: object) -> str:
    return f"the class {value.__name__}: make one of it" if isinstance(value, type) else f"{type(value).__name__}"


def _for_training(model: nn.Module, config: TernaryConfig, example_input: Tensor | None) -> nn.Module:
    """`model` itself with coded weights in its convolutions and linear layers, and nothing else changed."""
    swap_in_place(model, config)
    set_mode(model, "float")
    if example_input is not None:
        with torch.no_grad():
            copy.deepcopy(model).eval()(example_input)
    return model


def _check_modules(model: nn.Module) -> None:
    for name, module in model.named_modules():
        if any(is_lazy(p) for p in module.parameters(recurse=False)):
            raise CrqError(f"module {name!r} ({type(module).__name__}) has no weights yet: run one batch through it")
        if module._forward_hooks or module._forward_pre_hooks:
            raise CrqError(
                f"module {name!r} ({type(module).__name__}) has forward hooks, which the integers would not have: "
                "remove them (pruning, weight_norm and spectral_norm have functions that make their result permanent)"
            )


def set_mode(model: nn.Module, mode: str, activations: bool | None = None) -> None:
    """Switch every coded layer to `float` or `quantized` weights, and the activation quantizers along with them.

    activations: whether activation quantizers act; by default only in quantized mode. The mode is part of the model's
    `state_dict`: loading one restores it.
    """
    if mode not in ("float", "quantized"):
        raise CrqError(f"mode must be 'float' or 'quantized', not {mode!r}")
    for module in model.modules():
        if isinstance(module, QuantLayer):
            module.switch(mode)
        elif isinstance(module, ActQuant):
            module.enable(mode == "quantized" if activations is None else activations)


def coded_layers(model: nn.Module) -> dict[str, QuantLayer]:
    """The ternary and integer layers of a prepared model, by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, QuantLayer)}


def _called(traced: fx.GraphModule) -> list[str]:
    """The convolutions and linear layers, in the order of their calls."""
    names: list[str] = []
    for node in traced.graph.nodes:
        if node.op == "call_module" and isinstance(traced.get_submodule(str(node.target)), MACS):
            if node.target in names:
                continue  # its weights are shared by its calls
            names.append(str(node.target))
    return names


def _keeps(module: nn.Module) -> bool:
    return isinstance(module, nn.Flatten) or is_dropout(module)


class _Placer:
    """Inserts the quantizers in one walk along the graph.

    A value is *coded* when it lies on a quantizer's grid (or is a max, a flattening or a concatenation of such) and
    *raw* otherwise; multiply-accumulates, average pools, additions and concatenations demand coded operands.
    """

    def __init__(self, traced: fx.GraphModule, config: TernaryConfig) -> None:
        self.traced, self.graph, self.config = traced, traced.graph, config
        self.modules = dict(traced.named_modules())
        self.coded: set[fx.Node] = set()
        self.largest: dict[fx.Node, int] = {}
        """The largest sum of what is raw, the largest code of what is coded."""
        self.beneath: set[fx.Node] = set()
        """Quantizers before functions, which nothing else reads."""
        self.given: set[fx.Node] = set()
        """The network's input, also where it was moved or pooled."""
        self.first: set[str] = set()
        """Layers that read it."""
        self.signed: dict[fx.Node, bool] = {}
        self.source: dict[fx.Node, str] = {}
        assert isinstance(config.act_bits, int)
        self.act_bits = config.act_bits

    def run(self) -> None:
        for node in list(self.graph.nodes):
            if node.op == "placeholder":
                self._input(node)
            elif node.op == "call_module":
                self._module(node, self.modules[str(node.target)])
            elif node.op == "call_function":
                self._combine(node)

    def _input(self, node: fx.Node) -> None:
        c = self.config
        self.source[node] = "input"
        reader = next(iter(node.users))
        if reader.op == "call_module" and isinstance(self.modules[str(reader.target)], Preprocess):
            node, self.source[reader] = reader, "input"
        self.given.add(node)
        self._quantize(node, InputQuant(c.input_bits, c.input_signed, c.input_scale))

    def _module(self, node: fx.Node, module: nn.Module) -> None:
        if isinstance(module, Preprocess):
            return
        x = node.all_input_nodes[0]
        self.source[node] = self.source[x]
        self.signed[node] = self.signed[x]
        self.largest[node] = self.largest.get(x, 0)
        if x in self.given and not isinstance(module, (*MACS, QuantLayer)):
            self.given.add(node)
        if isinstance(module, (*MACS, QuantLayer)):
            x = self._demand(node, x, self._bits_between())
            if x in self.given:
                self.first.add(str(node.target))
            self.source[node], self.signed[node] = str(node.target), True
            self.largest[node] = largest_sum(module, self.largest[x]) if isinstance(module, QuantLayer) else 0
        elif isinstance(module, AVG_POOLS):
            x = self._demand(node, x, self._bits_between())
            self.source[node] = str(node.target)
            if not (isinstance(module, ADAPTIVE) and self._ends(node)):
                bits = max(self.config.pool_bits, 2 if self.signed[x] else 1)
                self._quantize(node, ActQuant(bits, signed=self.signed[x]))
        elif isinstance(module, RELUS):
            limit = None
            if isinstance(module, nn.ReLU6):  # its upper end becomes the quantizer's
                limit = 6.0
                parent, _, child = str(node.target).rpartition(".")
                setattr(self.traced.get_submodule(parent), child, nn.ReLU())
            self.signed[node] = False
            self._quantize(node, ActQuant(self.act_bits, limit=limit))
        elif isinstance(module, ACTIVATIONS):
            activation = activation_of(str(node.target), module)
            if too_dense(activation, self.largest[node], self.act_bits):
                self._demand_beneath(node, x)
            signed = self.signed[node] = activation.signed
            self._quantize(node, ActQuant(self._bits_between() if signed else self.act_bits, signed=signed))
        elif isinstance(module, (*NORMS, Scaled)):
            self.signed[node] = True
        elif x in self.coded:  # max pool, flatten, transpose: they move codes; dropout does in eval mode
            self.coded.add(node)
        elif not isinstance(module, (*MAX_POOLS, Transposed)) and not is_dropout(module):
            self._pass_raw(node, x)

    def _pass_raw(self, node: fx.Node, x: fx.Node) -> None:
        """A move of a raw value: code it first, unless it ends the network, as only a flattening of scores may."""
        if isinstance(self.modules[str(node.target)], MOVES) and self._only_moves_follow(node):
            raise CrqError(
                f"the network ends by moving the scores of {self.source[x]!r} ({name_of(node)}): return them as they "
                "are and move them on the host, or put an activation before the move"
            )
        if any(user.op != "output" for user in node.users):
            self.largest[node] = self.largest[self._demand(node, x, self._bits_between())]
            self.coded.add(node)

    def _moves(self, node: fx.Node) -> bool:
        if node.op == "call_module":
            return isinstance(self.modules[str(node.target)], (*MOVES, nn.Flatten))
        return node.target is torch.cat

    def _only_moves_follow(self, node: fx.Node) -> bool:
        """Whether what `node` gives reaches the output without being computed with."""
        return all(user.op == "output" or (self._moves(user) and self._only_moves_follow(user)) for user in node.users)

    def _combine(self, node: fx.Node) -> None:
        for x in node.all_input_nodes:
            self._demand(node, x, self.config.residual_bits, "residual_bits")
        self.source[node] = self.traced.meta["names"][node.name]
        self.signed[node] = node.target is operator.sub or any(self.signed[x] for x in node.all_input_nodes)
        if self.given.issuperset(node.all_input_nodes):
            self.given.add(node)
        self.largest[node] = sum(self.largest[x] for x in node.all_input_nodes)
        if node.target is torch.cat:
            self.largest[node] = max(self.largest[x] for x in node.all_input_nodes)
            self.coded.add(node)
        elif not self._only_activation_follows(node) and not self._ends(node):
            self._quantize(node, ActQuant(self.config.residual_bits, signed=True))

    def _only_activation_follows(self, node: fx.Node) -> bool:
        reader = next(iter(node.users))
        of_module = len(node.users) == 1 and reader.op == "call_module"
        return of_module and isinstance(self.modules[str(reader.target)], NONLINEAR)

    def _ends(self, node: fx.Node) -> bool:
        """Whether nothing but the network's output reads `node`: its sums are the scores."""
        return all(
            user.op == "output"
            or (user.op == "call_module" and _keeps(self.modules[str(user.target)]) and self._ends(user))
            for user in node.users
        )

    def _bits_between(self) -> int:
        """Bits of a signed value between two layers without a ReLU; one bit cannot be signed."""
        return max(self.act_bits, 2)

    def _demand(self, node: fx.Node, x: fx.Node, bits: int, key: str = "act_bits") -> fx.Node:
        """`x`, or a quantizer after it that `node` reads instead; one quantizer serves all who demand.

        key: of the configuration, where `bits` are set."""
        if x in self.coded:
            return x
        for user in x.users:
            if user in self.coded - self.beneath and user.op == "call_module" and isinstance(self._get(user), ActQuant):
                node.replace_input_with(x, user)
                return user
        quantizer = self._insert(x, ActQuant(bits, signed=True), key)
        node.replace_input_with(x, quantizer)
        return quantizer

    def _demand_beneath(self, node: fx.Node, x: fx.Node) -> None:
        """A quantizer between sums and the function `node`: few values, whose codes every machine finds."""
        if x in self.coded:
            return
        found = next((user for user in x.users if user in self.beneath), None)
        if found is None:
            bits = code_bits(self.largest[node], self._inner(x))
            found = self._insert(x, ActQuant(bits, signed=True), key=None)
            self._doubt(x, self.act_bits, key=None)
            self.beneath.add(found)
        node.replace_input_with(x, found)
        self.largest[node] = 0

    def _quantize(self, node: fx.Node, quantizer: ActQuant) -> None:
        """Insert `quantizer` after `node` for all its users."""
        users = list(node.users)
        new = self._insert(node, quantizer)
        for user in users:
            user.replace_input_with(node, new)

    def _insert(self, node: fx.Node, quantizer: ActQuant, key: str | None = "act_bits") -> fx.Node:
        name = add_module(self.traced, f"{self.source[node]}_quant", quantizer)
        with self.graph.inserting_after(node):
            new = self.graph.call_module(name, (node,))
        if key is not None:
            self._doubt(node, quantizer.bits, key)
        self.coded.add(new)
        if node in self.given:
            self.given.add(new)
        self.largest[new] = max(-quantizer.qmin, quantizer.qmax)
        self.source[new], self.signed[new] = self.source[node], quantizer.signed
        return new

    def _inner(self, node: fx.Node) -> bool:
        """Whether the sums `node` are of a layer that does not read the network's input."""
        return self.source[node] not in self.first

    def _doubt(self, node: fx.Node, bits: int, key: str | None) -> None:
        """Warn of more codes than float32 tells apart on the sums `node` of an integer layer."""
        layer, largest = self.modules.get(self.source[node]), self.largest.get(node, 0)
        if told := doubt(self.source[node], layer, largest, bits, self._inner(node), key):
            warnings.warn(told, stacklevel=users_line())

    def _get(self, node: fx.Node) -> Any:
        return self.traced.get_submodule(str(node.target))
