"""A project's bitstream: what lies in its folder, and its netlists, faults among them, through the serial line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crq.errors import CrqError
from crq.hw.dataflow.names import bounded
from crq.hw.errors import HwError
from crq.hw.forms.folder import foreign
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import Mac
from crq.hw.ir.vectors import random_codes
from crq.hw.rtl.bitstream import netlist, tools
from crq.hw.rtl.bitstream import project as bitstreams
from crq.hw.rtl.bitstream.faults import KINDS, inject
from crq.hw.rtl.bitstream.flow import ClockMissed
from crq.hw.rtl.bitstream.project import bitstream as make
from crq.hw.rtl.bitstream.project import read
from crq.hw.rtl.bitstream.simulate import compiled, running
from crq.hw.rtl.board.driver import connected
from crq.hw.verify.netlists import check_netlists
from tests.support.boards import bitstream, needs_tools
from tests.support.rtl_projects import needs_verilator, project


def test_what_no_bitstream_can_be_made_of(tmp_path: Path) -> None:
    with pytest.raises(HwError, match=r"built for the part xc7z020clg400-1, not for a board; name one with --board"):
        make(project())
    with pytest.raises(HwError, match="clock -3 MHz: expected a positive number"):
        make(project(), "ulx3s-25f", clock_mhz=-3)
    with pytest.raises(HwError, match="no bitstream of this version"):
        read(tmp_path)


def test_slower_clocks_are_tried_where_that_is_wanted(monkeypatch) -> None:
    asked, told = [], []

    def missed(wrapped, layers, **more):
        asked.append(wrapped.mhz)
        if len(asked) % 4 == 0:
            raise HwError("enough")
        raise ClockMissed("not reached", int(wrapped.mhz * 0.9))

    monkeypatch.setattr(bitstreams, "make", missed)
    with pytest.raises(ClockMissed, match="not reached"):
        make(project(), "ulx3s-25f", clock_mhz=50)
    asked.clear()
    with pytest.raises(HwError, match="enough"):
        make(project(), "ulx3s-25f", clock_mhz=50, slower=True, heard=lambda step, line: told.append(step))
    assert [round(mhz) for mhz in asked] == [50, 45, 40, 36]
    assert told[0] == "going on at 45 MHz, 50 MHz were not reached"


@pytest.mark.slow
@needs_tools
@needs_verilator
def test_both_netlists_equal_the_network(tmp_path: Path) -> None:
    made = bitstream()
    assert made.file.read_bytes()[:2] == b"\xff\x00"  # the preamble of an ECP5 bitstream
    network = made.built.network
    codes = random_codes(network, 4).reshape(4, *network.inputs[0].shape)
    found = check_netlists(made, codes, cache=tmp_path)
    assert [n.equal for n in found] == [True, True], found
    facts = read(made.folder)
    assert facts["reached_mhz"] >= facts["clock_mhz"] == 50
    assert [n["equal"] for n in facts["netlists"]] == [True, True]
    assert [step["name"] for step in facts["steps"]] == ["synthesis", "place and route, seed 1", "packing"]
    assert "bit-exact: 4 of 4 images" in (made.folder / "summary.txt").read_text()
    assert not foreign(made.built.directory)
    assert json.dumps(facts)
    with pytest.raises(HwError, match="no images"):
        check_netlists(made, codes[:0])


@pytest.mark.slow
@needs_tools
@needs_verilator
def test_every_fault_of_the_placed_netlist_is_caught(tmp_path: Path) -> None:
    """A flipped LUT bit, a stuck register and two swapped wires in every layer with weights."""
    made = bitstream()
    network, wrapped = made.built.network, made.made.wrapped
    layers = {bounded(m.name): u.name for u, m in made.built.plan.units() if isinstance(u.layer, Mac)}
    placed = netlist.read(made.made.routed.done.folder / tools.ROUTED)
    faults = inject(placed, layers)
    assert [(f.layer, f.kind) for f in faults] == [(layer, kind) for layer in layers.values() for kind in KINDS]
    program = compiled(netlist.simulated(placed, "ecp5", tmp_path, "faults"), tmp_path, faults=True)
    codes = random_codes(network, 8).reshape(8, *network.inputs[0].shape)
    expected = evaluate(network, codes).reshape(8, *network.carried(network.outputs[0]).shape)
    caught = {}
    for number in range(len(faults) + 1):
        with running(program, wrapped.mhz * 1e6, made.patience, number) as terminal:
            try:
                with connected(terminal, network, wrapped.facts.hash, wait=3) as board:
                    board.speed_up(board.facts().khz, 4)
                    caught[number] = not np.array_equal(board.integers(codes), expected)
            except CrqError:
                caught[number] = True
    assert caught == {0: False, **{f.number: True for f in faults}}, faults
