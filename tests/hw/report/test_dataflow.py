"""The diagram: every unit and stream once, in the order of the data, apart from each other; the SVG as a file alone."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.dataflow.units import units
from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.dataflow import BOX, COLUMN, EDGE, Box, Diagram, draw
from crq.hw.report.html import render_html, render_svg
from crq.hw.report.model import build_report
from crq.hw.report.streams import INPUT, OUTPUT
from tests.support import random_graphs

SVG = "{http://www.w3.org/2000/svg}"


def report(model: ModelWrapper, **info) -> dict:
    network = Network(model)
    return build_report(network, choose(network), "PYNQ-Z2", 5.0, project_info={"name": "n<1>", **info}).to_dict()


NETS = [
    random_graphs.small_cnn(2), random_graphs.residual_net(1, size=4), random_graphs.depthwise_net(),
    random_graphs.one_dimensional_net(),
]  # fmt: skip


@pytest.mark.parametrize("model", NETS)
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_every_unit_and_stream_is_drawn_once(model: ModelWrapper, io_type: str) -> None:
    facts = report(model, io_type=io_type)
    diagram = draw(facts)
    network = Network(model)
    assert sorted(box.name for box in diagram.boxes) == sorted([INPUT, OUTPUT, *(u.name for u in units(network))])
    assert len(diagram.lines) == sum(len(unit.sources) for unit in units(network)) + 1
    assert len({line.path for line in diagram.lines}) == len(diagram.lines)


@pytest.mark.parametrize("model", NETS)
def test_boxes_are_apart_and_data_flows_down(model: ModelWrapper) -> None:
    facts = report(model)
    diagram = draw(facts)
    boxes = {box.name: box for box in diagram.boxes}
    for stream in facts["streams"]:
        assert boxes[stream["from"]].y < boxes[stream["to"]].y
    for one, other in itertools.combinations(diagram.boxes, 2):
        assert abs(one.y - other.y) >= BOX or _apart(one, other), (one.name, other.name)
    assert all(inside(box, diagram) for box in diagram.boxes)


def _apart(one: Box, other: Box) -> bool:
    return one.x + one.width < other.x or other.x + other.width < one.x


def inside(box: Box, diagram: Diagram) -> bool:
    return 0 <= box.x <= box.x + box.width <= diagram.width and 0 <= box.y <= box.y + BOX <= diagram.height


def test_width_is_area_and_the_slowest_unit_is_told() -> None:
    facts = report(NETS[0])
    diagram = draw(facts)
    by_area = sorted(facts["units"], key=lambda unit: unit["lut"])
    boxes = {box.name: box for box in diagram.boxes}
    widths = [boxes[unit["name"]].width for unit in by_area]
    assert widths == sorted(widths)
    assert widths[-1] == COLUMN - 2 * EDGE
    assert [box.name for box in diagram.boxes if box.slowest] == [facts["summary"]["bottleneck"]]


def test_streams_past_others_have_lanes_of_their_own() -> None:
    streams = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("b", "d")]
    rows = [{"from": x, "to": y, "beat": 1, "bits": 4, "depth": 2} for x, y in streams]
    rows.sort(key=lambda row: row["to"])
    found = draw({"streams": rows, "units": [], "summary": {"interval_cycles": 1, "bottleneck": ""}})
    vertical = {line.path.split("H")[1].split("q")[0] for line in found.lines if "H" in line.path}
    assert len(vertical) == 2


def test_the_file_is_xml_of_its_own_and_names_are_text() -> None:
    facts = report(NETS[1])
    facts["units"][0] = {**facts["units"][0], "kind": "<&>"}
    root = ET.fromstring(render_svg(facts))
    assert root.tag == f"{SVG}svg"
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert len(titles) == len(facts["streams"]) + len(facts["units"]) + 2
    assert any("<&>" in str(title) for title in titles)
    del facts["streams"]  # a report saved before there were any
    assert "<svg" not in render_html(facts)
