"""The metadata of an integer graph: what is written is read again, and nonsense is refused by its property."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.ir.ends import InputFacts, OutputFacts
from crq.hw.ir.graph import Network
from crq.hw.ir.metadata import FileTensor, Metadata, properties
from tests.support.random_graphs import GraphBuilder, small_cnn

NUMBER = st.floats(2.0**-20, 2.0**20)
SCALES = NUMBER | st.lists(NUMBER, min_size=1, max_size=3)
SOURCES = st.dictionaries(
    st.text("abc_1", min_size=1),
    st.builds(FileTensor, st.text(max_size=8), SCALES, st.sampled_from(["NCHW", "NHWC"])),
    max_size=2,
)
INPUT = st.builds(
    InputFacts,
    scale=NUMBER,
    range=st.none() | st.tuples(st.integers(-9, 0), st.integers(0, 9)),
    zero_point=st.integers(-20, 20),
    layout=st.sampled_from(["NCHW", "NHWC"]),
    preprocessing=st.lists(st.tuples(st.sampled_from(["Mul", "RSub"]), SCALES), max_size=2).map(tuple),
)
METADATA = st.builds(
    Metadata,
    inputs=st.tuples(INPUT),
    outputs=st.tuples(st.builds(OutputFacts, scale=SCALES, offset=SCALES)),
    ties=st.dictionaries(st.text("abc", min_size=1), st.lists(st.integers(0, 99), max_size=3), max_size=2),
    sources=SOURCES,
    frozen_hash=st.none() | st.text("0123456789abcdef", min_size=1),
    other=st.dictionaries(st.sampled_from(["class_names", "producer", "layers"]), st.text(max_size=9), max_size=2),
)
GRAPH = small_cnn()


@settings(max_examples=100)
@given(METADATA, METADATA)
def test_what_is_written_is_read_again_and_nothing_of_before_stays(before: Metadata, metadata: Metadata) -> None:
    before.write(GRAPH)
    metadata.write(GRAPH)
    assert Metadata.of(GRAPH) == metadata


def test_what_has_its_default_is_left_out_but_for_scales_and_sources() -> None:
    Metadata().write(GRAPH)
    assert properties(GRAPH.graph) == {"input.scale": "1.0", "output.scale": "1.0", "sources": "{}"}


def test_properties_of_others_are_neither_read_nor_removed() -> None:
    graph = small_cnn()
    graph.set_metadata_prop("finn.input.scale", "7")
    Metadata(inputs=(InputFacts(scale=0.5),)).write(graph)
    assert Metadata.of(graph) == Metadata(inputs=(InputFacts(scale=0.5),))
    assert graph.get_metadata_prop("finn.input.scale") == "7"
    proto = ModelProto()
    proto.metadata_props.add(key="crq.carrier", value="packed")
    proto.metadata_props.add(key="carrier", value="other")
    assert properties(proto) == {"carrier": "packed"}


def test_a_source_moves_with_its_codes() -> None:
    one, two = FileTensor("a", 0.5, "NCHW"), FileTensor("b", [1.0, 2.0], "NHWC")
    moved = Metadata(sources={"act1": one, "act2": two}, inputs=(InputFacts(scale=0.5),)).renamed_source(
        "act1", "pool1"
    )
    assert moved == Metadata(sources={"pool1": one, "act2": two}, inputs=(InputFacts(scale=0.5),))


def test_codes_of_a_file_tensor_come_channels_first() -> None:
    values = np.array([[[0.5, 6.0], [1.0, 9.0]]])  # (1, L, C) in the file: channels worth 0.5 and 3
    source = FileTensor("t", [0.5, 3.0], "NHWC")
    assert source.codes(values).tolist() == [[[1, 2], [2, 3]]]
    assert FileTensor("t", 0.5, "NCHW").codes(values).tolist() == [[[1, 12], [2, 18]]]


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("input.scale", '"a"', "a number"),
        ("input.scale", "true", "a number"),
        ("output.scale", "[]", "a number, or one per channel"),
        ("output.offset", "[1, null]", "a number, or one per channel"),
        ("input.preprocessing", '[["Mul"]]', r"a list of \[operator, constant\]"),
        ("input.preprocessing", "{}", r"a list of \[operator, constant\]"),
        ("ties", '{"a": [0.5]}', "channels by layer"),
        ("sources", '{"a": {"tensor": "t"}}', "a tensor, scale and layout by layer"),
        ("sources", "[1", "a tensor, scale and layout by layer"),
    ],
)
def test_a_property_that_holds_something_else_is_named(key: str, text: str, expected: str) -> None:
    graph = small_cnn()
    graph.set_metadata_prop(f"crq.{key}", text)
    with pytest.raises(HwError, match=rf"^metadata crq\.{key} .*: expected {expected}$"):
        Metadata.of(graph)


def test_a_text_is_stored_as_it_is_and_all_else_as_json() -> None:
    graph = small_cnn()
    Metadata(inputs=(InputFacts(layout="NHWC", range=(-7, 7)),), frozen_hash="12").write(graph)
    found = properties(graph.graph)
    assert (found["input.layout"], found["frozen_hash"]) == ("NHWC", "12")
    assert json.loads(found["input.range"]) == [-7, 7]


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("range", "[-9, 7]", r"crq.input.range '\[-9, 7\]': expected \[lowest, highest\].*within INT4"),
        ("range", "[3, 2]", "crq.input.range"),
        ("range", "[0.5, 2]", "crq.input.range"),
        ("range", "[1]", "crq.input.range"),
        ("range", "7", "crq.input.range"),
        ("range", "all", "crq.input.range 'all'"),
        ("zero_point", "0.5", "crq.input.zero_point '0.5': expected an integer"),
    ],
)
def test_nonsense_in_the_metadata_is_refused(key: str, text: str, message: str) -> None:
    g = GraphBuilder((2, 4, 4), "INT4")
    graph = g.finish(g.conv("x", 2))
    graph.set_metadata_prop(f"crq.input.{key}", text)
    with pytest.raises(HwError, match=message):
        Network(graph)


def test_the_ports_of_a_graph_have_properties_of_their_own() -> None:
    graph = two_ports()
    ends = InputFacts(scale=0.5, names=(("image", 2),)), InputFacts(scale=2.0, range=(-1, 1), names=(("table", 3),))
    results = OutputFacts(scale=[0.5, 1.0], names=(("map", 2),)), OutputFacts(offset=3.0, names=(("score", 3),))
    made = Metadata(ends, results, ("table", "image"), ("map", "score"))
    made.write(graph)
    found = properties(graph.graph)
    assert (found["input.scale"], found["input2.scale"], found["input2.range"]) == ("0.5", "2.0", "[-1, 1]")
    assert json.loads(found["output2.names"]) == [["score", 3]]
    assert Metadata.of(graph) == made


def two_ports() -> ModelWrapper:
    g = GraphBuilder((2, 4, 4), "UINT2")
    model = g.finish(g.threshold(g.conv("x", 2), 2))
    for values in (model.graph.input, model.graph.output):
        values.append(helper.make_tensor_value_info(f"{values[0].name}_too", TensorProto.FLOAT, [1, 3]))
    return model
