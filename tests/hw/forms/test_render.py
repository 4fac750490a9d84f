"""Fixed texts with facts in them."""

from __future__ import annotations

import numpy as np
import pytest
from jinja2 import TemplateNotFound, UndefinedError

from crq.hw.dataflow.words import words_of
from crq.hw.forms.render import render
from crq.hw.hls.plan import Stream, ends
from crq.hw.ir.layers import Shape, Tensor


def stream(name: str, c: int, h: int, w: int, beat: int) -> Stream:
    return Stream(name, f"{name}_t", Tensor("s", Shape(c, h, w), np.zeros(c, np.int64), np.full(c, 15)), beat)


X, Y = stream("input", 2, 3, 4, 1), stream("result", 5, 1, 1, 5)
FACTS = {"name": "net", "inputs": ends("input", [X]), "results": ends("result", [Y]), "streaming": True}


def test_facts_take_their_places() -> None:
    text = render("crq.hw.hls", "testbench.cpp", **FACTS)
    assert text.startswith("// Testbench of net:")
    assert '#include "firmware/net.h"\n' in text
    assert "codes(24), expected(5), found(5);" in text
    assert "{{" not in text
    assert "{%" not in text


def test_the_form_decides_what_is_written() -> None:
    streaming, parallel = (render("crq.hw.hls", "testbench.cpp", **{**FACTS, "streaming": s}) for s in (True, False))
    assert "hls::stream<input_t>" in streaming
    assert "input_t input[24];" not in streaming
    assert "input_t input[24];" in parallel
    assert "hls::stream" not in parallel


def test_nothing_is_escaped_and_the_last_line_ends() -> None:
    inputs, results = [(ends("input", [X])[0], words_of(X), "")], [(ends("result", [Y])[0], words_of(Y), "")]
    text = render("crq.hw.hls", "axi.cpp", name="a_b", inputs=inputs, results=results, whole=True)
    assert "hls::stream<input_word> &input" in text
    assert "&lt;" not in text
    assert text.endswith("}\n")


def test_a_fact_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'name'"):
        render("crq.hw.hls", "testbench.cpp", **{k: v for k, v in FACTS.items() if k != "name"})


def test_a_text_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(TemplateNotFound, match="poem.txt"):
        render("crq.hw.hls", "poem.txt")
