"""Options of the verbs, made from `BuildOptions`."""

from dataclasses import fields
from typing import Any

import click
import hypothesis
import pytest
from click.testing import CliRunner
from hypothesis import strategies as st

from crq.hw.cli.options import FOLDING, build_options, parse_folds, parse_roms, spelled
from crq.options import BuildOptions


def given(*arguments: str, names: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a command with these options is given by a command line."""
    seen: list[dict[str, Any]] = []

    @click.command()
    @build_options(*names)
    def command(given: dict[str, Any]) -> None:
        seen.append(given)

    CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return seen[0]


def test_only_what_is_on_the_line_is_given() -> None:
    assert given() == {}
    line = "--part KV260 --clock-period 4 --io-type io_parallel --target-fps 1e4 --best-fit --no-fit-check --argmax"
    folds = "--fold a=2,3 --fold b=1,1 --rom a=bram"
    found = given(*line.split(), *folds.split())
    assert found == {
        "part": "KV260", "clock_period": 4.0, "io_type": "io_parallel", "target_fps": 1e4, "best_fit": True,
        "fit_check": False, "argmax": True, "folding": {"a": (2, 3), "b": (1, 1)}, "weight_rom": {"a": "bram"},
    }  # fmt: skip
    assert BuildOptions().with_given(found).folding == {"a": (2, 3), "b": (1, 1)}


OPTIONS = st.builds(
    BuildOptions, target=st.sampled_from(["hls", "rtl"]), part=st.sampled_from(["KV260", "ZCU104"]),
    clock_period=st.floats(0.1, 100), io_type=st.sampled_from(["io_stream", "io_parallel"]),
    target_fps=st.none() | st.floats(1, 1e9), target_latency=st.none() | st.floats(0.1, 1e5), best_fit=st.booleans(),
    folding=st.dictionaries(st.sampled_from(["a", "b.c"]), st.sampled_from([(1, 2), (3, 4, "folded")]), max_size=2),
    max_beat=st.integers(1, 4096), weight_rom=st.dictionaries(st.sampled_from("ab"), st.sampled_from(["lut", "bram"])),
)  # fmt: skip


@hypothesis.settings(max_examples=40)
@hypothesis.given(OPTIONS, OPTIONS)
def test_what_is_spelled_makes_the_same_options(base: BuildOptions, line: BuildOptions) -> None:
    defaults = BuildOptions()
    named = {f.name: getattr(line, f.name) for f in fields(line) if getattr(line, f.name) != getattr(defaults, f.name)}
    options = base.with_given(named)  # as whoever gave that line has it
    assert base.with_given(given(*spelled(options, base))) == options
    assert base.with_given(given(*spelled(options, base, ("part", "target_fps")))) == options


def test_a_verb_may_take_some_of_them() -> None:
    assert set(FOLDING) < {f.name for f in fields(BuildOptions)}
    with pytest.raises(click.NoSuchOption):
        given("--io-type", "io_stream", names=FOLDING)


@pytest.mark.parametrize("text", ["a", "a=1", "a=1,2,3", "a=x,1"])
def test_wrong_foldings_are_named(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected LAYER=PE,SIMD"):
        parse_folds((text,))


def test_wrong_memories_are_named() -> None:
    assert parse_roms(("a=lut", "b=bram")) == {"a": "lut", "b": "bram"}
    with pytest.raises(click.BadParameter, match="expected LAYER=lut or LAYER=bram"):
        parse_roms(("a",))
