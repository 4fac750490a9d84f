"""Options of a project: what is given takes the place of what was, and a target drives out the others."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.errors import CrqError
from crq.options import NUMBERS, TARGETS, BuildOptions

GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "part": st.none() | st.sampled_from(["KV260", "xcu50"]),
        "clock_period": st.none() | st.floats(0.5, 20),
        "target_fps": st.none() | st.floats(1, 1e6),
        "target_latency": st.none() | st.floats(1, 1e6),
        "best_fit": st.none() | st.booleans(),
        "fit_check": st.none() | st.booleans(),
        "argmax": st.none() | st.booleans(),
    },
)


@given(GIVEN)
def test_what_is_given_is_what_stands_and_the_rest_stays(given: dict) -> None:
    before = BuildOptions(part="ZCU104", clock_period=3.0, target_fps=50.0)
    after = before.with_given(given)
    present = {name: value for name, value in given.items() if value is not None}
    for name, value in present.items():
        assert getattr(after, name) == value
    for name in {f.name for f in fields(BuildOptions)} - set(present) - set(TARGETS):
        assert getattr(after, name) == getattr(before, name)
    assert before == BuildOptions(part="ZCU104", clock_period=3.0, target_fps=50.0)


@pytest.mark.parametrize(
    ("given", "targets"),
    [
        ({}, (50.0, None, False)),
        ({"target_fps": None}, (50.0, None, False)),
        ({"clock_period": 4.0}, (50.0, None, False)),
        ({"target_latency": 20.0}, (None, 20.0, False)),
        ({"best_fit": True}, (None, None, True)),
        ({"target_fps": 9.0, "target_latency": 8.0}, (9.0, 8.0, False)),
    ],
)
def test_a_target_given_takes_the_place_of_all_of_them(given: dict, targets: tuple) -> None:
    after = BuildOptions(target_fps=50.0).with_given(given)
    assert (after.target_fps, after.target_latency, after.best_fit) == targets


def test_a_misspelt_option_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(CrqError, match=r"unknown option 'clock_perod' \(did you mean 'clock_period'\?\); .*io_type"):
        BuildOptions().with_given({"clock_perod": 5.0})
    with pytest.raises(CrqError, match=r"unknown option 'q'; expected one of target, part, clock_period"):
        BuildOptions().with_given({"q": None})


def test_two_projects_share_no_dictionary() -> None:
    one, other = BuildOptions(), BuildOptions()
    one.folding["conv1"] = (2, 4)
    assert other.folding == {}


def test_options_as_a_dictionary_and_back() -> None:
    options = BuildOptions(part="KV260", folding={"conv1": (2, 4)}, weight_rom={"fc": "bram"}, best_fit=True)
    text = json.dumps(options.to_dict())
    facts = json.loads(text)
    assert facts["folding"] == {"conv1": [2, 4]}
    facts["folding"] = {name: tuple(fold) for name, fold in facts["folding"].items()}
    assert BuildOptions(**facts) == options


def test_every_option_says_what_it_means() -> None:
    for option in fields(BuildOptions):
        assert option.metadata["help"].endswith("."), option.name


@pytest.mark.parametrize("name", sorted(NUMBERS))
@pytest.mark.parametrize("value", ["fast", True, (1,)])
def test_numbers_are_numbers(name: str, value: object) -> None:
    with pytest.raises(CrqError, match=f"option {name} = .*: expected a number"):
        BuildOptions().with_given({name: value})
    assert getattr(BuildOptions().with_given({name: 4}), name) == 4


def test_numbers_of_numpy_are_plain_ones() -> None:
    found = BuildOptions().with_given({"clock_period": np.int64(4), "target_fps": np.float32(1000)})
    assert (type(found.clock_period), type(found.target_fps)) == (int, float)
