"""Layers may be called anything, and projects what a module may be called."""

from __future__ import annotations

import re

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import random_codes
from crq.hw.rtl.names import KEYWORDS, check_name, named
from tests.support.random_graphs import GraphBuilder

NAMES = ["stem.conv", "stem_conv", "größe", "module", "a", "a_sums", "A", "a_in0_fifo", "f" * 100]


def network() -> Network:
    g = GraphBuilder((4,), "UINT4", seed=1)
    x = "x"
    for _ in NAMES[:-1]:
        x = g.threshold(g.matmul(x, 4), 2)
    graph = g.finish(g.matmul(x, 3))
    for node, name in zip([n for n in graph.graph.node if n.op_type == "MatMul"], NAMES, strict=True):
        node.name = name
    return Network(graph)


@pytest.mark.parametrize("twice", ["add", "concat"])
def test_a_tensor_that_is_read_twice_is_renamed_twice(twice: str) -> None:
    g = GraphBuilder((4,), "UINT4", seed=1)
    x = g.threshold(g.matmul("x", 4), 2)
    given = Network(g.finish(g.matmul(getattr(g, twice)(x, x), 3)))
    found, _ = named(given)
    codes = random_codes(given, 5)
    assert np.array_equal(evaluate(found, codes), evaluate(given, codes))


def test_every_layer_gets_an_identifier_of_its_own() -> None:
    given = network()
    found, names = named(given)
    assert [layer.name for layer in given if layer.kind == "Dense"] == NAMES
    made = [layer.name for layer in found]
    assert made == [names[layer.name] for layer in given]
    assert len({name.lower() for name in made}) == len(made)
    for name in [*made, *(layer.output.name for layer in found), *(tensor.name for tensor in found.inputs)]:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
    assert names["a_sums"] == "a_sums_layer"
    assert names["a_in0_fifo"] == "a_in0_fifo_layer"


def test_the_network_stays_what_it_is() -> None:
    given = network()
    codes = random_codes(given, 4)
    np.testing.assert_array_equal(evaluate(named(given)[0], codes), evaluate(given, codes))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("1st", "expected an identifier"), ("a-b", "expected an identifier"), ("x" * 70, "70 letters"),
        ("module", "a word of SystemVerilog"), ("crq_rom", "may be that"), ("unit_A", "may be that"),
        ("Conv1_sums3", "may be that"), ("codes_x", "may be that"),
    ],
)  # fmt: skip
def test_projects_that_no_module_can_be_named_after(name: str, message: str) -> None:
    with pytest.raises(HwError, match=f"project name '{name}': (is )?{message}"):
        check_name(name, ["conv1"])


def test_others_may() -> None:
    check_name("digits", ["conv1"])
    check_name("conv1", ["conv1"])
    check_name("other_sums", ["conv1"])
    assert "logic" in KEYWORDS
    assert len(KEYWORDS) == 248
