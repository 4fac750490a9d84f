"""Nodes of a traced graph replaced by calls of modules, under names that say where the user's code has them."""

from __future__ import annotations

from torch import fx, nn

from crq.convert.channels import Channels
from crq.convert.pixels import Pixels, Row
from crq.errors import CrqError


class Rewriter:
    """Replaces one node by module calls; remembers names already taken."""

    def __init__(self, traced: fx.GraphModule, scopes: dict[str, str]) -> None:
        self.traced, self.graph, self.scopes = traced, traced.graph, scopes

    def where(self, node: fx.Node) -> str:
        scope = self.scopes.get(node.name, "")
        return f"in module {scope!r}" if scope else "in the model's forward"

    def put(self, node: fx.Node, x: fx.Node, *modules: nn.Module) -> None:
        """Replace `node` by `modules` applied to `x` in turn."""
        self.replace(node, self.insert(node, x, *modules))

    def replace(self, node: fx.Node, value: fx.Node) -> None:
        node.replace_all_uses_with(value)
        self.graph.erase_node(node)

    def insert(self, node: fx.Node, x: fx.Node, *modules: nn.Module) -> fx.Node:
        """`modules` applied to `x` in turn, before `node`, whose shapes the last of them has."""
        value = x
        with self.graph.inserting_before(node):
            for module in modules:
                value = self.graph.call_module(self.name(node, module), (value,))
                self.scopes[value.name] = self.scopes.get(node.name, "")
        if modules and "shapes" in node.meta:
            value.meta["shapes"] = node.meta["shapes"]
        return value

    def image(self, x: fx.Node) -> tuple[int, ...] | None:
        """Rows and columns of `x` for the images that the network was traced for; None if it was for any.

        Whoever asks makes the network one for images of this size.
        """
        if "shapes" not in x.meta:
            return None
        start = next(node for node in self.graph.nodes if node.op == "placeholder")
        self.traced.meta["image_shape"] = tuple(start.meta["shapes"][0][1:])
        return tuple(x.meta["shapes"][0][2:])

    def drop(self, node: fx.Node) -> None:
        node.replace_all_uses_with(node.all_input_nodes[0])
        self.graph.erase_node(node)

    def name(self, node: fx.Node, module: nn.Module) -> str:
        """Register `module`, for an operation of the user's code, under the scope and the operation's name."""
        scope = self.scopes.get(node.name, "")
        kind = type(module).__name__.lower()
        return add_module(self.traced, f"{scope}.{kind}" if scope else kind, module)


def add_module(traced: fx.GraphModule, name: str, module: nn.Module) -> str:
    """Register `module` under `name`, or `name_1`, `name_2` … where taken; returns the name used."""
    base, count = name.replace(".", "_"), 0
    name = base
    while hasattr(traced, name):
        count += 1
        name = f"{base}_{count}"
    traced.add_submodule(name, module)
    return name


def rebind(node: fx.Node) -> None:
    """An in-place operation changes its operand for whoever reads it later: let them read the result.

    Refused where a flattening or slice shares the operand's memory, for then it changes what was read before, too.
    """
    x = node.all_input_nodes[0]
    if any(_is_view(user) for user in x.users if user < node) or (_is_view(x) and len(x.all_input_nodes[0].users) > 1):
        raise CrqError(
            f"in-place operation {node.name!r} changes a tensor that a flattening or slice shares; use a copying one"
        )
    node.all_input_nodes[0].replace_all_uses_with(node, delete_user_cb=lambda user: user is not node and user > node)


def _is_view(node: fx.Node) -> bool:
    module = node.graph.owning_module
    return (
        node.op == "call_module"
        and module is not None
        and isinstance(module.get_submodule(str(node.target)), nn.Flatten | Channels | Pixels | Row)
    )


def name_of(node: fx.Node) -> str:
    if node.op == "call_module" and node.graph.owning_module is not None:
        return type(node.graph.owning_module.get_submodule(str(node.target))).__name__
    return node.target if isinstance(node.target, str) else str(getattr(node.target, "__name__", node.target))
