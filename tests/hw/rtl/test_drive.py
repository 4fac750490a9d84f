"""Runs of a compiled simulation: a design that hands words on, or holds them back."""

from __future__ import annotations

import numpy as np
import pytest

from crq.errors import VerificationError
from crq.hw.rtl.bench import Bench, Probe, compile_bench
from crq.hw.rtl.drive import PLAIN, Program, Stimulus, run, run_all
from tests.support.rtl_projects import needs_verilator

# A register of a word, with a counter of words since reset; unit 1 gives nothing, unit 2 what was in a register before.
BODY = """  logic [11:0] held, never;
  logic full;
  logic [7:0] count;
  assign in_ready = !full || out_ready;
  assign out_valid = full && which != 16'd1;
  assign out_data = which == 16'd2 ? never : {count[3:0], held[7:0]};
  assign out_last = count[0];
  always_ff @(posedge clk) begin
    if (rst) begin
      full <= 0;
      count <= 0;
    end else begin
      full <= (in_valid && in_ready) || (full && !(out_valid && out_ready));
      if (in_valid && in_ready) held <= in_data;
      if (out_valid && out_ready) count <= count + 1;
    end
  end
"""
PROBES = (Probe("in_valid && in_ready", "in_data", 12, 2),)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    folder = tmp_path_factory.mktemp("drive")
    compile_bench(Bench(BODY, (12,), (12,), PROBES), {}, folder / "program")
    return Program(folder / "program", folder, (2,), (2,), 200, ((2, 2),))


def data(images: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, [256, 16], (images, 2, 2)).astype(np.uint8)


def check(program: Program, stimulus: Stimulus, images: int = 7) -> None:
    given = data(images)
    found = run(program, [given], stimulus, traced=True)
    np.testing.assert_array_equal(found.streams[0].words[:, :, 0], given[:, :, 0])
    np.testing.assert_array_equal(found.streams[0].words[:, :, 1].ravel(), np.arange(2 * images) % 16)
    assert found.streams[0].last.ravel().tolist() == [bool(i % 2) for i in range(2 * images)]
    np.testing.assert_array_equal(found.probes[0], given)


@needs_verilator
def test_words_come_back_with_their_cycles(program: Program) -> None:
    check(program, PLAIN)
    found = run(program, [data(7)])
    assert found.streams[0].cycles.ravel().tolist() == list(range(1, 15))
    assert (found.total, found.longest) == (15, (0, 0))
    assert found.probes == []


@needs_verilator
def test_pauses_delay_and_change_nothing(program: Program) -> None:
    for seed in range(1, 6):
        check(program, Stimulus(pauses=seed, longest=60))
    found = run(program, [data(7)], Stimulus(pauses=1, longest=60))
    assert found.streams[0].cycles[-1, -1] > 14
    assert max(found.longest) <= 60


@needs_verilator
def test_after_a_reset_everything_begins_again(program: Program) -> None:
    check(program, Stimulus(resets=(1,)))
    check(program, Stimulus(resets=(3, 5, 2), pauses=2))


@needs_verilator
def test_several_processes_give_the_images_in_their_order(program: Program) -> None:
    done = []
    found = run_all(program, [data(9)], done=lambda: done.append(1), traced=True)
    np.testing.assert_array_equal(found.streams[0].words[:, :, 0], data(9)[:, :, 0])
    np.testing.assert_array_equal(found.probes[0], data(9))
    assert len(done) == 9


@needs_verilator
def test_no_images_are_no_results(program: Program) -> None:
    found = run_all(program, [data(0)], traced=True)
    assert (found.streams[0].words.shape, found.probes[0].shape) == ((0, 2, 2), (0, 2, 2))


@needs_verilator
def test_a_design_that_gives_nothing_is_told(program: Program) -> None:
    with pytest.raises(VerificationError, match=r"no result for \d+ cycles: 0 of 4 words came, 4 of 4 were taken"):
        run(program, [data(2)], Stimulus(which=1))


@needs_verilator
def test_registers_begin_with_any_value(program: Program) -> None:
    seen = {run(program, [data(1)], Stimulus(state=seed, which=2)).streams[0].words.tobytes() for seed in (2, 3, 4)}
    assert len(seen) == 3
