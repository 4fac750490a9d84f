"""Fixed texts with facts in them."""

from __future__ import annotations

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from hw.hls.render import render
from hw.ir.layers import Shape

FACTS = {"name": "net", "x": Shape(2, 3, 4), "y": Shape(5, 1, 1), "streaming": True}


def test_facts_take_their_places() -> None:
    text = render("testbench.cpp", **FACTS)
    assert text.startswith("// Testbench of net:")
    assert '#include "firmware/net.h"\n' in text
    assert "codes(24), expected(5), found(5);" in text
    assert "{{" not in text
    assert "{%" not in text


def test_the_form_decides_what_is_written() -> None:
    streaming, parallel = (render("testbench.cpp", **{**FACTS, "streaming": s}) for s in (True, False))
    assert "hls::stream<input_t>" in streaming
    assert "input_t input[24];" not in streaming
    assert "input_t input[24];" in parallel
    assert "hls::stream" not in parallel


def test_nothing_is_escaped_and_the_last_line_ends() -> None:
    text = render("axi.cpp", name="a_b", x=FACTS["x"], y=FACTS["y"], x_bits=4, y_bits=9, x_bus=8, y_bus=48)
    assert "hls::stream<input_word> &input" in text
    assert "&lt;" not in text
    assert text.endswith("}\n")


def test_a_fact_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'name'"):
        render("testbench.cpp", **{k: v for k, v in FACTS.items() if k != "name"})


def test_a_text_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(TemplateNotFound, match="poem.txt"):
        render("poem.txt")
