"""Small right files of every operator and carrier: what damage starts from."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
from onnx import ModelProto

from crq import export
from tests.support.legal_files import LEGAL, model
from tests.support.nets import NETWORKS, frozen
from tests.support.qonnx_files import CONV, IN, conv, node, quant

CARRIERS: tuple[export.Carrier, ...] = ("packed", "int2", "float")


def _more() -> dict[str, ModelProto]:
    """Operators that the legal files have none of."""
    rng = np.random.default_rng(7)
    table = np.sort(rng.normal(size=(5, 7)).astype(np.float32), axis=1)
    gemm = {"k": rng.integers(-1, 2, (5, 5)).astype(np.float32), "kb": rng.normal(size=5).astype(np.float32)}
    return {
        "thresholds, Gemm": model(
            [IN, CONV, node("MultiThreshold", "c t", "q", "mt", out_dtype="UINT3", data_layout="NCHW")]
            + [node("GlobalAveragePool", "q", "p", "gap"), quant("p", "pq", "q1"), node("Flatten", "pq", "fl")]
            + [node("Gemm", "fl k kb", "y", "fc", transB=1, alpha=0.5)],
            t=table, **gemm,
        ),
        "bipolar, residual, concatenation": model(
            [IN, CONV, node("BipolarQuant", "c q1_s", "b1", "bq"), quant("c", "q", "q1", signed=1)]
            + [node("Add", "b1 q", "a", "add"), quant("a", "aq", "q1", signed=1), node("Concat", "aq q", "k", axis=1)]
            + [conv("k w10", "y", "last")],
            w10=rng.integers(-1, 2, (4, 10, 3, 3)).astype(np.float32),
        ),
        "pad, mean, clip, dropout, reshape": model(
            [IN, node("Pad", "xq pads", "xp", "pad"), conv("xp w", "c", "conv"), node("Mul", "c v", "m")]
            + [node("Div", "m v", "d"), node("Sub", "d b", "e"), node("Clip", "e low high", "cl", "clip")]
            + [node("Dropout", "cl", "dr"), quant("dr", "q", "q1")]
            + [node("AveragePool", "q", "ap", "avg", kernel_shape=[2, 2], strides=[2, 2]), quant("ap", "aq", "q9")]
            + [node("ReduceMean", "aq", "rm", "mean", axes=[2, 3]), quant("rm", "rq", "q9")]
            + [node("Reshape", "rq flat", "fl", "rs"), node("MatMul", "fl f", "y", "fc")],
            pads=np.array([0, 0, 1, 1, 0, 0, 1, 1]), low=np.float32(0), high=np.float32(6), flat=np.array([1, -1]),
        ),
        "computed shapes": model(
            [*LEGAL["ai.onnx"].graph.node][:4]
            + [node("Shape", "q", "s"), node("Gather", "s zero_i", "n"), node("Unsqueeze", "n zero_a", "n1")]
            + [node("Concat", "n1 minus", "to", axis=0), node("Reshape", "q to", "fl"), node("MatMul", "fl big", "y")],
            zero_i=np.array(0), zero_a=np.array([0]), minus=np.array([-1]),
            big=rng.integers(-1, 2, (180, 3)).astype(np.float32),
        ),
    }  # fmt: skip


@functools.cache
def originals() -> tuple[bytes, ...]:
    """Right files: made by hand, and as `export` writes them in every carrier."""
    found = [m.SerializeToString() for m in (*LEGAL.values(), *_more().values())]
    with tempfile.TemporaryDirectory() as folder:
        for name, network in NETWORKS.items():
            exported = frozen(network)
            for carrier in CARRIERS:
                found.append(
                    export.to_qonnx(exported, Path(folder) / f"{name}.onnx", carrier=carrier).SerializeToString()
                )
    return tuple(found)
