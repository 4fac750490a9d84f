"""Names of generated SystemVerilog: a network whose layers and tensors may be called anything, with names that fit."""

from __future__ import annotations

import re
from collections.abc import Collection

from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.dataflow.names import MAX_LENGTH, Names, identifier
from crq.hw.errors import HwError
from crq.hw.ir.graph import RANKS, Network
from crq.hw.ir.ports import numbered

_KEYWORDS = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind bins
binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config const
constraint context continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge
else end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule
endpackage endprimitive endprogram endproperty endsequence endspecify endtable endtask enum event eventually expect
export extends extern final first_match for force foreach forever fork forkjoin function generate genvar global
highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input
inside instance int integer interconnect interface intersect join join_any join_none large let liblist library local
localparam logic longint macromodule matches medium modport module nand negedge nettype new nexttime nmos nor
noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge primitive priority program
property protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase
randsequence rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1
s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled signed small
soft solve specify specparam static string strong strong0 strong1 struct super supply0 supply1 sync_accept_on
sync_reject_on table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand
trior trireg type typedef union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void
wait wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""Of IEEE 1800-2017."""

_OWN = re.compile(
    r"_(sums?\d*|pixel|largest\d+|in\d+|fifo|narrow|widen|fork|w|start|c|t\d+|s\d+(_\d+)?|valid|ready|data|out|axi)$",
    re.IGNORECASE,
)
"""What the generated code appends to the name of a layer: modules, instances, wires and memory images."""


def named(network: Network) -> tuple[Network, dict[str, str]]:
    """A copy of `network` in which every layer and tensor has a name that SystemVerilog takes; the copy's names of
    the layers by their own."""
    model = ModelWrapper(network.model.model, make_deepcopy=True)
    inputs = [numbered("input", port) for port in range(1, len(network.inputs))]
    names, found = Names(inputs), dict[str, str]()
    nodes = [node for node in model.graph.node if node.op_type not in RANKS]
    for layer, node in zip(network.layers, nodes, strict=True):
        base = identifier(layer.name)
        found[layer.name] = node.name = names.unique(f"{base}_layer" if _OWN.search(base) else base)
    tensors = {tensor.name: name for tensor, name in zip(network.inputs, ["input", *inputs], strict=True)}
    tensors |= {layer.output.name: found[layer.name] for layer in network}
    for step in ("crq_renamed_{}", "{}"):  # by way of names that no tensor has
        for old, new in tensors.items():
            last = old if step != "{}" else f"crq_renamed_{new}"
            model.rename_tensor(last, step.format(new))
            for node in model.graph.node:  # qonnx renames only the first of equal inputs
                node.input[:] = [step.format(new) if name == last else name for name in node.input]
    return Network(model), found


_BEGINNINGS = ("unit_", "codes_", "crq_")
"""Of the names of generated modules and of the library's."""


def taken(name: str) -> bool:
    """Whether no module of a user's may be called so: words of SystemVerilog, and what the library's are called."""
    return name in KEYWORDS or name.lower().startswith(_BEGINNINGS)


def check_name(name: str, layers: Collection[str] = ()) -> None:
    """Raises `HwError` for the name of a project that cannot be a module beside those of its `layers`."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise HwError(f"project name {name!r}: expected an identifier: letters, digits and underscores")
    if len(name) > MAX_LENGTH:
        raise HwError(f"project name {name!r}: {len(name)} letters; expected at most {MAX_LENGTH}")
    if name in KEYWORDS:
        raise HwError(f"project name {name!r}: is a word of SystemVerilog; choose another")
    low = name.lower()
    made = _OWN.search(low) and any(low.startswith(f"{layer.lower()}_") for layer in layers)
    if made or low.startswith(_BEGINNINGS):
        raise HwError(f"project name {name!r}: may be that of a module inside of the project; choose another")
