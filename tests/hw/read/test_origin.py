"""Where a network came from: its name and the hash of the content, whichever way it is given."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
import pytest

from crq.hw.errors import HwError
from crq.hw.read import read_qonnx
from crq.hw.read.origin import load_graph
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, base, graph_of
from tests.support.random_graphs import small_cnn

PROTO = graph_of([IN, CONV, *ACT, *TAIL], base())


def test_a_file_is_named_and_hashed_as_it_lies_there(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(PROTO, path)
    for given in (path, str(path)):
        graph, origin = load_graph(given)
        assert origin == ("net.onnx", hashlib.sha256(path.read_bytes()).hexdigest())
        assert graph.model.graph == read_qonnx(path).model.graph


def test_models_in_memory_are_hashed_by_content() -> None:
    _, origin = load_graph(PROTO)
    assert origin.name == "g"
    assert origin.sha256 == hashlib.sha256(PROTO.SerializeToString(deterministic=True)).hexdigest()
    copy = type(PROTO)()
    copy.CopyFrom(PROTO)
    assert load_graph(copy)[1] == origin
    copy.graph.node[0].doc_string = "changed"
    assert load_graph(copy)[1] != origin


def test_an_integer_graph_is_taken_as_it_is() -> None:
    graph = small_cnn()
    found, origin = load_graph(graph)
    assert found is graph
    assert origin.name == "random"
    assert load_graph(small_cnn(1))[1].sha256 != origin.sha256 == load_graph(small_cnn())[1].sha256
    graph.graph.name = ""
    assert load_graph(graph)[1].name == "model"


def test_missing_files_and_other_things_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HwError, match=r"absent\.onnx: no such file; expected a QONNX file"):
        load_graph(tmp_path / "absent.onnx")
    with pytest.raises(HwError, match=r"is a folder; expected a QONNX file"):
        load_graph(tmp_path)
    with pytest.raises(HwError, match="expected a path, an onnx ModelProto or a qonnx ModelWrapper, found bytes"):
        load_graph(b"net.onnx")  # type: ignore[arg-type]
