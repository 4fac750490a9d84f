"""The AXI4-Stream core: its ports, its words, and beats wider than a word through Verilator."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.dataflow.words import Port, words_of
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import Shape, Tensor
from crq.hw.ir.vectors import random_codes
from crq.hw.rtl.axi import axi_top
from crq.hw.rtl.drive import Stimulus
from tests.support.random_graphs import GraphBuilder
from tests.support.rtl_projects import needs_verilator


def port(c: int, beat: int, bits: int = 4) -> Port:
    return Port(Tensor("t", Shape(c, 1, 1), np.zeros(c, np.int64), np.full(c, (1 << bits) - 1)), beat)


def test_beats_that_are_words_pass_by_wires() -> None:
    text = axi_top("net", [port(6, 3)], [port(3, 1)])
    assert "module net_axi (" in text
    assert "assign beat_data = s_axis_tdata[11:0];" in text
    assert "assign m_axis_tdata = {4'b0, result_data};" in text
    assert "crq_" not in text
    assert "m_axis_tlast = count == 2'd2" in text


def test_wider_beats_are_joined_and_cut() -> None:
    text = axi_top("net", [port(300, 300)], [port(700, 700)])
    assert words_of(port(700, 700)).per_beat == 3
    assert "crq_widen #(.WIDTH(600), .N(2)) u_words" in text
    assert "crq_narrow #(.WIDTH(936), .N(3)) u_results" in text


def test_a_result_of_one_word_is_always_the_last() -> None:
    assert "assign m_axis_tlast = 1'b1;" in axi_top("net", [port(2, 2)], [port(3, 3)])


def test_it_is_verilog_2001() -> None:
    """A block design takes no SystemVerilog top."""
    text = re.sub(r"//.*", "", axi_top("net", [port(300, 300)], [port(700, 100)]))
    assert not re.search(r"\b(logic|always_ff|always_comb|int|bit)\b|'0|'1\b", text)


@needs_verilator
@pytest.mark.parametrize("channels", [130])
def test_images_of_several_words_go_in_and_come_out(channels: int, tmp_path: Path) -> None:
    g = GraphBuilder((channels,), "UINT8", seed=1)
    folding = {"neg1": (channels, 1)}
    project = hw.build(g.finish(g.negate("x")), tmp_path / "p", target="rtl", folding=folding, max_beat=2048)
    assert isinstance(project, hw.project.RtlProject)
    assert project.manifest.inputs[0]["per_beat"] == project.manifest.results[0]["per_beat"] == 2
    codes = random_codes(project.network, 6)
    found, run = project.run_core(codes, Stimulus(pauses=3, longest=9), together=True)
    np.testing.assert_array_equal(found[0], evaluate(project.network, codes))
    assert run.streams[0].last.tolist() == [[False, True]] * 6
