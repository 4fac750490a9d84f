"""Layers of equal weights, in a file that uses one constant twice."""

import numpy as np
import onnx

from crq.hw.cli.inspect import inspect
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from crq.hw.report.sharing import shared, text
from tests.support.qonnx_files import base, conv, graph_of, quant

SAME = np.where(np.arange(2 * 2 * 9) % 3 == 0, 1, -1).reshape(2, 2, 3, 3).astype("f4")
OTHER = np.where(np.arange(2 * 2 * 9) % 2 == 0, 1, -1).reshape(2, 2, 3, 3).astype("f4")


def file(second: str, third: str) -> onnx.ModelProto:
    nodes = [
        quant("x", "xq", "qi"), conv("xq same", "t1", "first", pad=1), quant("t1", "aq", "q1", signed=1),
        conv(f"aq {second}", "t2", "second", pad=1), quant("t2", "bq", "q1", signed=1),
        conv(f"bq {third}", "t3", "third", pad=1),
    ]  # fmt: skip
    return graph_of(nodes, base() | {"same": SAME, "other": OTHER}, output="t3")


def test_layers_of_one_constant_are_named_together() -> None:
    assert shared(Network(read_qonnx(file("other", "same")))) == {"first": ["first", "third"]}
    assert shared(Network(read_qonnx(file("same", "same")))) == {"first": ["first", "second", "third"]}


def test_words() -> None:
    assert text({}) == ""
    assert text({"a": ["a", "b"]}) == "weights of a, used twice (a, b): once per use in hardware"
    assert "used 3 times (a, b, c)" in text({"a": ["a", "b", "c"]})


def test_inspect_says_so(tmp_path, capsys) -> None:
    onnx.save(file("other", "same"), tmp_path / "m.onnx")
    inspect.callback(tmp_path / "m.onnx", as_json=False, svg=None)
    assert "weights of first, used twice (first, third): once per use" in " ".join(capsys.readouterr().out.split())
