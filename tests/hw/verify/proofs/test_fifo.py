"""FIFO depths: the firmware on bounded queues, where branches that block each other are found and named."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from crq import hw
from crq.hw.dataflow.streams import MIN_FIFO
from crq.hw.verify.proofs.fifo import check, simulate, stated_depths
from tests.support.random_graphs import GraphBuilder, small_cnn


@pytest.fixture(scope="module")
def joined(tmp_path_factory) -> hw.Project:
    """A branch through a window and one around it."""
    g = GraphBuilder((2, 6, 6), "UINT4", seed=1)
    x = g.threshold(g.conv("x", 2, (1, 1)), 2)
    model = g.finish(g.add(g.threshold(g.conv(x, 2, pads=(1, 1, 1, 1)), 2), x))
    return hw.build(model, tmp_path_factory.mktemp("fifo") / "p", project_name="p")


def skip(project: hw.Project) -> str:
    """The stream around the window: the copy's output on the way to the sum's second operand."""
    makers = {s.name: p for p in project.plan.processes for s in p.outputs}
    [add] = [p for p in project.plan.processes if p.unit and p.unit.layer.kind == "Add"]
    stream = add.inputs[1]
    while len(makers[stream.name].outputs) == 1:
        stream = makers[stream.name].input
    return stream.name


def test_a_sound_project_passes_with_the_beats_it_holds(joined: hw.Project) -> None:
    result = check(joined.directory, joined.plan)
    assert (result.name, result.ok) == ("FIFO depths", True)
    fifos, beats = map(int, re.match(r"(\d+) FIFOs of (\d+) beats in all carry 2 images", result.facts).groups())
    inside = [s.name for s in joined.plan.streams]
    assert (fifos, beats) == (len(inside), sum(joined.plan.depths[name] for name in inside))
    # The branch around a 3×3 window waits for a row and two pixels of the other.
    assert joined.plan.depths[skip(joined)] >= 6 + 2


def test_the_depths_are_those_that_the_source_states(joined: hw.Project) -> None:
    found = stated_depths(joined.directory)
    assert {s.name: found[s.name] for s in joined.plan.streams} == {
        s.name: joined.plan.depths[s.name] for s in joined.plan.streams
    }


def edited(joined: hw.Project, folder: Path, pattern: str, by: str) -> Path:
    """A copy of the project whose top function is edited."""
    copy = Path(shutil.copytree(joined.directory, folder))
    path = copy / "firmware" / "p.cpp"
    text, count = re.subn(pattern, by, path.read_text())
    assert count
    path.write_text(text)
    return copy


def test_fifos_of_a_fork_that_are_too_shallow_deadlock(joined: hw.Project, tmp_path: Path) -> None:
    # The firmware states no depth of its input, which is a port.
    depths = {**joined.plan.depths, joined.plan.inputs[0].name: MIN_FIFO, skip(joined): 2}
    blocked = simulate(joined.directory, joined.plan, depths)
    assert blocked is not None
    assert skip(joined) in blocked
    shallow = edited(joined, tmp_path / "p", rf"(variable={skip(joined)} depth=)\d+", r"\g<1>2")
    result = check(shallow, joined.plan)
    assert (result.ok, result.facts) == (False, f"deadlock: {blocked}")


def test_a_fifo_whose_depth_is_not_stated_fails(joined: hw.Project, tmp_path: Path) -> None:
    silent = edited(joined, tmp_path / "p", rf"#pragma HLS STREAM variable={skip(joined)} .*", "")
    assert check(silent, joined.plan)[1:3] == (False, f"the firmware states no depth of {skip(joined)}")


def test_a_process_that_wants_one_beat_too_many_deadlocks(tmp_path: Path, joined: hw.Project) -> None:
    """Code edited so that the sum reads an image one pixel longer than it is."""
    copy = hw.open_project(shutil.copytree(joined.directory, tmp_path / "p"))
    [add] = [p for p in copy.plan.processes if p.unit and p.unit.layer.kind == "Add"]
    path = copy.directory / "firmware" / "layers" / f"{add.name}.h"
    text, count = re.subn(r"(pixels = )36;", r"\g<1>37;", path.read_text())
    assert count == 1, path.read_text()
    path.write_text(text)
    result = check(copy.directory, copy.plan)
    assert not result.ok
    assert result.facts.startswith("deadlock: ")


def test_an_unrolled_design_has_none(tmp_path: Path) -> None:
    project = hw.build(small_cnn(4), tmp_path / "p", io_type="io_parallel")
    assert check(project.directory, project.plan)[1:3] == (True, "io_parallel has no FIFOs")


def test_code_that_does_not_compile_is_an_error_of_the_tool(tmp_path: Path, joined: hw.Project) -> None:
    copy = shutil.copytree(joined.directory, tmp_path / "p")
    with (copy / "firmware" / "defines.h").open("a") as file:
        file.write("\n#error broken on purpose\n")
    with pytest.raises(hw.ToolError, match="broken on purpose"):
        check(copy, joined.plan)


@pytest.mark.parametrize("form", ["parallel", "folded"])
def test_branches_of_either_form_pass_and_need_their_depths(form: str, tmp_path: Path) -> None:
    """The queues see the loops of the hardware: a folded window holds a little more before it gives anything."""
    g = GraphBuilder((4, 6, 6), "UINT4", seed=1)
    x = g.threshold(g.conv("x", 4, (1, 1)), 2)
    h = g.threshold(g.conv(g.threshold(g.conv(x, 4, pads=(1, 1, 1, 1)), 2), 4, pads=(1, 1, 1, 1)), 2)
    folding = {"conv1": (2, 2, form), "conv3": (2, 2, form), "conv5": (1, 4, form), "add7": (2, 1)}
    project = hw.build(g.finish(g.add(h, x)), tmp_path / "p", project_name="p", folding=folding)
    assert check(project.directory, project.plan).ok
    name = skip(project)
    # Two windows of three rows wait for a row and a pixel of 2 beats; folded ones for a pixel more, so that no word is
    # read right after it was written.
    least = 2 * 2 * (6 + (2 if form == "folded" else 1))
    assert simulate(project.directory, project.plan, {**project.plan.depths, name: least - 6}) is not None
    assert project.plan.depths[name] > least
