"""Means, spreads and paired differences, against numbers by hand and SciPy's test of pairs."""

import math

import pytest
from scipy.stats import ttest_rel

from crq.train.compared import Row
from crq.train.paired import HEADS, cells, compared, heads, markdown, paired, remarks


def rows(name: str, *tests: float, luts: int | None = 1000, validation: float | None = 0.5) -> list[Row]:
    return [Row(name, seed, 3, 0.9, validation, test, 0.25, 7.0, luts, luts, 500) for seed, test in enumerate(tests)]


A, B = rows("a", 0.80, 0.84, 0.82), rows("b", 0.81, 0.88, 0.83)


def test_the_interval_is_that_of_a_test_of_pairs() -> None:
    mean, half = paired(B, A)
    found = ttest_rel([100 * row.test for row in B], [100 * row.test for row in A]).confidence_interval(0.95)
    assert (mean - half, mean + half) == pytest.approx((found.low, found.high))
    assert paired(list(reversed(B)), A) == pytest.approx((mean, half))
    for few in (1, 2):  # two differences that happen to be alike would prove anything
        assert paired(B[:few], A)[1] == math.inf
    alike = compared([*rows("a", 0.5, 0.6), *rows("b", 0.51, 0.61)])
    assert (alike[1]["difference"], alike[1]["half"]) == (pytest.approx(1.0), None)


def test_a_dict_per_candidate() -> None:
    first, second = compared([*A, *B])
    assert (first["candidate"], first["difference"], first["half"]) == ("a", None, None)
    assert (second["test"], second["difference"]) == (pytest.approx(0.84), pytest.approx(2.0))
    assert (second["zeros"], second["lut_folded"], second["seconds"], second["tests"]) == (
        0.25,
        1000,
        7,
        [0.81, 0.88, 0.83],
    )
    (alone,) = compared(rows("a", 0.5, luts=None, validation=None))
    assert (alone["spread"], alone["lut_fast"], alone["validation"]) == (None, None, None)


def test_words() -> None:
    table = markdown([*A, *B]).split("\n")
    assert len(table) == 4
    assert table[0].count("|") == len(HEADS) + 1
    assert table[3].startswith("| b | 3 | 90.00% | 50.00% | 84.00 ± 3.61 | +2.00 ± 4.30 | 25% | 1,000 | 1,000 | 7 |")
    (alone,) = compared(rows("a", 0.5, luts=None, validation=None), "mse")
    assert cells(alone, "mse") == ["a", "1", "0.9", "–", "0.5000", "–", "25%", "–", "–", "7"]


def test_remarks_say_which_spread_and_how_much_a_sample_is() -> None:
    three, two, one = (compared([*A[:n], *B[:n]]) for n in (3, 2, 1))
    assert remarks(three) == [
        "± of accuracy: standard deviation of seeds", "± of a difference: half of its 95% interval, paired by seed",
        "held out: on training samples kept apart, for choices", "one of 500 test samples is 0.20 points",
    ]  # fmt: skip
    assert remarks(two)[1] == "2 seeds: no interval of the differences; that takes 3"
    assert remarks(one)[0].startswith("1 seed: no interval")
    assert not any("points" in said for said in remarks(three, "mse"))
    assert heads("mse")[4] == "mse"
