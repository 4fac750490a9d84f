"""torch.fx tracers: one that names what it cannot trace, and one that also knows every value's shape.

`ShapedTracer` runs the network on tensors without data, for several batch sizes at once. Whatever is no tensor and the
same for all of them (sizes of images, ranks, dtypes) is handed to the network's own Python code as it is; what depends
on the batch size stays a node of the graph.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.node import map_aggregate
from torch.fx.proxy import TraceError
from torch.nn.modules.batchnorm import _BatchNorm

from crq.convert.fits import check_fit
from crq.convert.normalization import is_normalization
from crq.convert.supported import is_dropout
from crq.errors import CrqError

BATCHES = (1, 2, 64)
"""Batch sizes a shaped trace is made for at once; code that treats one of them otherwise is refused."""


class NamingTracer(fx.Tracer):
    """torch.fx's tracer that remembers each node's module and names the module that cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes: dict[fx.Node, str] = {}
        self._stack: list[str] = []

    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> fx.Graph:
        try:
            return super().trace(root, concrete_args)
        except CrqError:
            raise
        except Exception as error:
            raise self._untraceable("the model itself", root, error) from error

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        path = self.path_of_module(m)
        self._stack.append(path)
        try:
            return super().call_module(m, forward, args, kwargs)
        except CrqError:
            raise
        except Exception as error:
            raise self._untraceable(f"module {path!r}", m, error) from error
        finally:
            self._stack.pop()

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        self.scopes[node] = self._stack[-1] if self._stack else ""
        return node

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_dropout(m) or is_normalization(m) or super().is_leaf_module(m, module_qualified_name)

    images = ""
    remedy = (
        "Its forward must be a fixed sequence of operations, without `if` or loops over tensor values; where they are "
        "over shapes, give crq.prepare an example_input"
    )

    def _untraceable(self, where: str, module: nn.Module, error: Exception) -> CrqError:
        reason = str(error).split("\n")[0].rstrip(".")
        return CrqError(f"{where} ({type(module).__name__}) cannot be traced{self.images}: {reason}. {self.remedy}")


class ShapedProxy(fx.Proxy):
    """A value of the network under trace, with what it is for each batch size: tensors without data, or numbers."""

    tracer: ShapedTracer
    values: tuple[Any, ...]

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("values", ())
        if not values or any(callable(getattr(value, name)) for value in values):
            return super().__getattr__(name)
        return self.tracer.create_proxy("call_function", getattr, (self, name), {})

    def __bool__(self) -> bool:
        return bool(self._plain("control flow"))

    def __len__(self) -> int:
        found = int(self._agreed([len(value) for value in self.values], "a length"))
        self.tracer.fixed |= isinstance(self.values[0], Tensor)
        return found

    def __iter__(self) -> Any:
        this: Any = self
        return iter([this[index] for index in range(len(self))])

    def __index__(self) -> int:
        return int(self._plain("a number"))

    __int__ = __index__

    def __float__(self) -> float:
        return float(self._plain("a number"))

    def _plain(self, what: str) -> Any:
        if isinstance(self.values[0], Tensor):
            raise TraceError(f"{what} in its Python code depends on the values of a tensor")
        return self._agreed([bool(value) if what == "control flow" else value for value in self.values], what)

    def _agreed(self, found: list[Any], what: str) -> Any:
        if any(value != found[0] for value in found):
            raise TraceError(f"{what} in its Python code depends on the batch size")
        return found[0]


class ShapedTracer(NamingTracer):
    """Traces for images like those of `example` (N, …), of any batch size.

    By batch size a node has in its `meta` the "shapes" of a tensor, or the "plain" value of anything else.
    fixed: whether the network's code has looked at sizes other than the batch's, so that the graph is for them only.
    """

    remedy = "Its forward must be a fixed sequence of operations for images of one size"

    def __init__(self, example: Tensor) -> None:
        super().__init__()
        self.fixed = False
        self._fake = FakeTensorMode(allow_non_fake_inputs=True)
        self._computing = False
        dtype = example.dtype if example.is_floating_point() else torch.float32
        self.image_shape = example.shape[1:]
        self.images = f" for images of shape {tuple(self.image_shape)}"
        with self._fake:
            self._inputs = tuple(torch.empty(n, *self.image_shape, dtype=dtype, device=example.device) for n in BATCHES)

    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> fx.Graph:
        graph = super().trace(root, concrete_args)
        for node in reversed(graph.nodes):
            if "plain" in node.meta and not node.users:  # a size that became a number
                graph.erase_node(node)
        return graph

    def _untraceable(self, where: str, module: nn.Module, error: Exception) -> CrqError:
        if type(error) in (RuntimeError, ValueError, IndexError):  # an operation's, or the network's own
            reason = str(error).split("\n")[0].rstrip(".")
            return CrqError(
                f"{where} ({type(module).__name__}) fails{self.images}: {reason}. Change the network, or give it "
                "images of the size that it is for"
            )
        return super()._untraceable(where, module, error)

    def proxy(self, node: fx.Node) -> ShapedProxy:
        return ShapedProxy(node, self)

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        return forward(*args, **kwargs) if self._computing else super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        return attr_val if self._computing else super().getattr(attr, attr_val, parameter_proxy_cache)

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *rest: Any, **named: Any) -> Any:
        proxy: Any = super().create_proxy(kind, target, args, kwargs, *rest, **named)
        values = self._inputs if kind == "placeholder" else self._computed(kind, target, args, kwargs)
        proxy.values = values
        if isinstance(values[0], Tensor):
            proxy.node.meta["shapes"] = tuple(value.shape for value in values)
        else:
            proxy.node.meta["plain"] = tuple(map_aggregate(value, _shape) for value in values)
        return self._settled(proxy)

    def _computed(self, kind: str, target: Any, args: Any, kwargs: Any) -> tuple[Any, ...]:
        self._computing = True
        try:
            with self._fake, torch.no_grad(), _unlogged():
                return tuple(
                    self._run(kind, target, *(map_aggregate(part, _picked(index)) for part in (args, kwargs)))
                    for index in range(len(BATCHES))
                )
        finally:
            self._computing = False

    def _run(self, kind: str, target: Any, args: Any, kwargs: Any) -> Any:
        if kind == "call_function":
            return target(*args, **kwargs)
        if kind == "call_method":
            return getattr(args[0], target)(*args[1:], **kwargs)
        found: Any = self.root
        for part in str(target).split("."):
            found = getattr(found, part)
        if kind == "get_attr":
            return found
        if isinstance(found, _BatchNorm) or is_dropout(found) or is_normalization(found):  # they keep the shape
            return args[0]
        modes = [(module, module.training) for module in found.modules()]
        try:
            return found.eval().forward(*args, **kwargs)
        except RuntimeError:
            check_fit(str(target), found, (*args, *kwargs.values())[0].shape, self.image_shape)
            raise
        finally:
            for module, training in modes:
                module.training = training

    def _settled(self, proxy: Any) -> Any:
        """`proxy`, or the value it stands for where that is no tensor and the same for every batch size."""
        first = proxy.values[0]
        if isinstance(first, Tensor):
            return proxy
        if isinstance(first, tuple | list):
            parts = [proxy[index] for index in range(len(first))]
            self.fixed |= isinstance(first, torch.Size) and len(first) > 1
            return type(first)(parts) if type(first) in (tuple, list) else tuple(parts)
        if any(type(value) is not type(first) or value != first for value in proxy.values):
            return proxy
        node = proxy.node
        # Any size but the batch's: behind a flatten or a permutation another axis may be the image's, too.
        self.fixed |= node.target == "numel" or (node.target == "size" and node.args[1:] != (0,))
        return first


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Inside, torch does not log the traceback of what fails on tensors without data: the error says it."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _picked(index: int) -> Callable[[Any], Any]:
    return lambda value: value.values[index] if isinstance(value, ShapedProxy) else value


def _shape(value: Any) -> Any:
    return value.shape if isinstance(value, Tensor) else value
