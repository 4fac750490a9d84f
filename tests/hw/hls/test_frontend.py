"""From a file to hls4ml's ModelGraph: our reader for our backend only, names that are refused, the list of layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hls4ml
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from tests.support.qonnx_files import CONV, TAIL, base, graph_of, node, quant
from tests.support.random_graphs import GraphBuilder, residual_net, small_cnn


def convert(model: Any, folder: Path, project_name: str = "net", **options: Any) -> Any:
    return hls4ml.converters.convert_from_onnx_model(
        model, output_dir=str(folder / "p"), project_name=project_name, backend="crq", **options
    )


def test_the_layers_are_the_plans_processes_behind_one_input(tmp_path: Path) -> None:
    model = convert(residual_net(1, size=4), tmp_path)
    assert list(model.graph) == ["network_input", *(p.name for p in model.crq_plan.processes)]
    assert model.inputs == ["network_input"]
    for process in model.crq_plan.processes:
        layer = model.graph[process.name]
        assert layer.get_attr("process") is process
        read = [model.get_layer_output_variable(name).name for name in layer.inputs]
        assert read == ["network_input" if s is model.crq_plan.inputs[0] else s.name for s in process.inputs]
    assert model.outputs == [model.crq_plan.processes[-1].name]


@pytest.mark.parametrize("form", ["path", "proto", "integer graph"])
def test_a_file_may_come_in_three_forms(form: str, tmp_path: Path) -> None:
    """All give the same plan; the origin is the file's, or the graph's own name."""
    proto = graph_of([quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL], base())
    given: Any = proto
    if form == "path":
        given = str(tmp_path / "mine.onnx")
        Path(given).write_bytes(proto.SerializeToString())
    elif form == "integer graph":
        given = convert(proto, tmp_path).crq_graph
    model = convert(given, tmp_path)
    assert [p.unit.layer.kind for p in model.crq_plan.processes if p.unit] == [
        "Conv",
        "GlobalSum",
        "Threshold",
        "Dense",
    ]
    assert len(model.crq_origin.sha256) == 64
    assert (model.crq_origin.name == "mine.onnx") == (form == "path")
    assert isinstance(Network(model.crq_graph), Network)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my project", "project name 'my project': expected a C identifier: letters, digits and underscores"),
        ("", "project name '': expected a C identifier"),
        ("1st", "expected a C identifier"),
        ("_net", "expected a C identifier"),
        ("n" * 61, "61 letters; expected at most 60"),
        ("while", "'while': is a word of C"),
        ("result_t", "'result_t': is a word of C.* or of the generated code; choose another"),
    ],
)
def test_names_that_no_project_can_have(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(HwError, match=message):
        convert(small_cnn(0), tmp_path, name)


def test_limits_are_checked_before_anything_is_made(tmp_path: Path) -> None:
    g = GraphBuilder((256, 4, 4), "UINT4")
    large = g.finish(g.conv(g.threshold(g.conv("x", 448), 2), 64, (2, 2)))
    with pytest.raises(HwError, match="the weights need .* BRAM36"):
        convert(large, tmp_path, part="xc7a35t")
    assert convert(large, tmp_path, part="xc7a35t", fit_check=False).crq_plan
    with pytest.raises(HwError, match=r"layer 'conv1': .*additions; io_parallel unrolls at most"):
        convert(large, tmp_path, io_type="io_parallel")
    assert not (tmp_path / "p").exists()


def test_a_part_that_is_unknown_is_named_although_nothing_needs_to_fit(tmp_path: Path) -> None:
    with pytest.raises(HwError, match="part 'xc9z999' is not known"):
        convert(small_cnn(0), tmp_path, part="xc9z999", fit_check=False)


def test_hls4ml_is_no_way_to_rtl(tmp_path: Path) -> None:
    with pytest.raises(HwError, match=r"for RTL call hw\.build"):
        convert(small_cnn(0), tmp_path, target="rtl")
