"""The band of one's own vendor reports: the least and the most ratio, refused where there is nothing to compare."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.cost.own import Own, Pair, fit
from crq.hw.errors import HwError

AREA = st.floats(1, 1e6)


WRONG = [
    f'{{"schema": 1, "spans": {spans}, "counts": {{"lut": 1, "dsp": 1}}, "unforeseen": {{}}, "reports": {reports}}}'
    for spans, reports in [
        ('{"lut": [2, 1]}', '["a"]'), ('{"lut": [NaN, 1]}', '["a"]'), ('{"lut": [-1, 1]}', '["a"]'),
        ('{"lut": [1, 2]}', "[]"), ("{}", '["a"]'), ('{"dsp": [1, 2]}', '["a"]'), ('{"lut": [1, Infinity]}', '["a"]'),
    ]
]  # fmt: skip


def pair(estimated: float, reported: float | None, name: str = "a") -> Pair:
    zero = {"ff": 0.0, "bram36": 0.0}
    return Pair(name, "Vitis", {"lut": estimated, **zero}, {"lut": reported, "ff": None, "bram36": 3.0})


@given(st.lists(st.tuples(AREA, AREA), min_size=1, max_size=6))
def test_every_report_lies_in_the_span(areas: list[tuple[float, float]]) -> None:
    low, high = fit([pair(estimated, reported) for estimated, reported in areas]).spans["lut"]
    assert all(low * e <= r * (1 + 1e-12) and r <= high * e * (1 + 1e-12) for e, r in areas)
    assert any(low * e == pytest.approx(r) for e, r in areas)
    assert any(high * e == pytest.approx(r) for e, r in areas)


def test_what_is_not_reported_or_not_estimated_has_no_span() -> None:
    own = fit([pair(100, 150, "a"), pair(100, None, "b")])
    assert (own.spans, own.counts, own.unforeseen) == ({"lut": (1.5, 1.5)}, {"lut": 1}, {"bram36": 3.0})
    assert own.basis == (
        "the least and the most in vendor reports of your own (LUT in 1: Vitis: a; Vitis: b); up to 3 BRAM36 were "
        "reported where 0 was estimated; of LUT, FF, BRAM36, in less than 3, at least a judgement, 0.5 to 2 times the "
        "estimate"
    )
    assert own.ends("lut", 10, (0.5, 2)) == [5, 20]
    assert own.ends("bram36", 0, (0.5, 2)) == [0, 3]
    assert own.ends("bram36", 10, (0.5, 2)) == [5, 20]
    assert own.ends("ff", 0, (0.5, 2)) == [0, 0]
    with pytest.raises(HwError, match="none of the vendor reports gives an area"):
        fit([pair(100, None)])


def test_few_reports_only_widen_the_judgement_and_three_take_its_place() -> None:
    assert fit([pair(100, 300), pair(100, 90)]).ends("lut", 10, (0.5, 2)) == [5, 30]
    own = fit([pair(100, 150), pair(100, 90), pair(100, 120)])
    assert own.ends("lut", 10, (0.5, 2)) == pytest.approx([9, 15])
    assert "of FF, BRAM36, in less than 3" in own.basis


def test_it_comes_back_and_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    own = fit([pair(100, 150), pair(100, 80)])
    own.save(file)
    assert Own.load(file) == own
    for text in (
        "",
        "[]",
        "{}",
        '{"schema": 2, "spans": {}, "reports": []}',
        '{"schema": 1, "spans": {"lut": 3}}',
        *WRONG,
    ):
        file.write_text(text)
        with pytest.raises(HwError, match=r"no calibration .*crq calibrate PROJECT"):
            Own.load(file)
    with pytest.raises(HwError, match="no calibration"):
        Own.load(tmp_path / "nothing.json")
