"""The program around a design."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.errors import ToolError
from crq.hw.rtl.bench import Bench, Probe, compile_bench, key, verilate
from tests.support.rtl_projects import needs_verilator

PASS = """  assign out_valid = in_valid;
  assign in_ready = out_ready;
  assign out_data = in_data;
  assign out_last = 1;
"""


def test_ports_and_probes_stand_in_the_text() -> None:
    bench = Bench(PASS, (12,), (12,), (Probe("a && b", "c", 70, 3), Probe("d", "e", 1, 5, which=2)))
    text, program = bench.verilog(), bench.program()
    assert "input [11:0] in_data" in text
    assert "assign probe_valid0 = a && b;" in text
    assert "output [69:0] probe0" in text
    assert 'sources.push_back(Source(folder + "in", 2));' in program
    assert "sinks.push_back(Sink(2, images * std::atol(argument[9])));" in program
    assert "images * 27" in program  # 3 beats of 9 bytes
    assert "top.which == 2 && long(traces[1].size()) < images * 5" in program


def test_every_stream_has_ports_and_files_of_its_own() -> None:
    bench = Bench(PASS, (12, 70), (12, 1))
    text, program = bench.verilog(), bench.program()
    for port in ("input [69:0] in2_data", "output in2_ready", "output [0:0] out2_data", "output out2_last"):
        assert port in text
    assert 'sources.push_back(Source(folder + "in2", 9));' in program
    assert "sinks.push_back(Sink(1, images * std::atol(argument[10])));" in program
    assert "for (int phase = 11; phase <= count; phase++)" in program


@needs_verilator
def test_a_simulation_is_known_by_what_it_is_made_of() -> None:
    one = key(Bench(PASS, (8,), (8,)), {"a.sv": "module a; endmodule"})
    assert one == key(Bench(PASS, (8,), (8,)), {"a.sv": "module a; endmodule"})
    assert one != key(Bench(PASS, (9,), (8,)), {"a.sv": "module a; endmodule"})
    assert one != key(Bench(PASS, (8,), (8,)), {"a.sv": "module a; endmodule "})


@needs_verilator
def test_errors_are_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="verilator failed"):
        compile_bench(Bench("  nonsense\n", (8,), (8,)), {}, tmp_path / "program")
    assert list(tmp_path.iterdir()) == []


def test_without_verilator_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="apt-get install verilator"):
        verilate([], tmp_path)
