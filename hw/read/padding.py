"""Explicit pads from ONNX's pads and auto_pad attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import NodeProto

from hw.read.refusals import refuse


def conv_pads(
    node: NodeProto,
    attributes: Mapping[str, Any],
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """Pads in ONNX order (all begins, then all ends) of a convolution or pool over an image of `size`."""
    if min([*stride, *dilation, *kernel], default=1) < 1:
        refuse("malformed", node, f"kernel {list(kernel)}, strides {list(stride)}, dilations {list(dilation)}")
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    if auto in ("NOTSET", ""):
        pads = [int(p) for p in attributes.get("pads", [0] * 2 * len(size))]
        if len(pads) != 2 * len(size) or min(pads, default=0) < 0:
            refuse("malformed", node, f"pads {pads}")
        return pads
    if auto == "VALID":
        return [0] * 2 * len(size)
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        refuse("malformed", node, f"auto_pad {auto!r}")
    begins, ends = [], []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        small, large = total // 2, total - total // 2
        begins.append(small if auto == "SAME_UPPER" else large)
        ends.append(large if auto == "SAME_UPPER" else small)
    return begins + ends
