"""One spelling of every operator: its name and domain, whatever the exporter's."""

from __future__ import annotations

import onnx.defs
from onnx import ModelProto

from crq.hw.ir import custom_op
from crq.hw.read.refusals import refuse

SPELLINGS = {"IntQuant": "Quant"}
"""qonnx 1.0 also calls a Quant IntQuant, with the same meaning."""
QUANTIZERS = ("Quant", "BipolarQuant", "MultiThreshold", "Trunc")
STANDARD = ("", "ai.onnx")
CHANNELS_LAST = "qonnx.custom_op.channels_last"


def one_spelling(model: ModelProto) -> ModelProto:
    """`model` with every operator under the name that the reader knows.

    The quantizers may stand in any custom domain; an operator of ONNX's name in another's domain is another operator.
    """
    own = {(function.domain, function.name) for function in model.functions}
    for node in model.graph.node:
        if (node.domain, node.op_type) in own:
            refuse("unsupported-op", node, f"a function of the file ({node.domain or 'default domain'})")
        if node.domain == custom_op.DOMAIN:
            refuse("integer-graph", node)
        node.op_type = SPELLINGS.get(node.op_type, node.op_type)
        if node.domain in STANDARD:
            node.domain = ""
        elif node.domain != CHANNELS_LAST and node.op_type not in QUANTIZERS:
            other = "ONNX's own operator of that name is another" if onnx.defs.has(node.op_type) else "it is not read"
            refuse("unsupported-op", node, f"of domain {node.domain!r}: {other}")
    return model
