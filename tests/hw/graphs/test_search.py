"""Adder graphs against the matrices they stand for: every sum exact, every interval and width proven."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.errors import HwError
from crq.hw.graphs import Term, kernel, solve


def ternary(seed: int, outputs: int, inputs: int, zeros: float = 0.5) -> np.ndarray:
    p = [(1 - zeros) / 2, zeros, (1 - zeros) / 2]
    return np.random.default_rng(seed).choice([-1, 0, 1], (outputs, inputs), p=p)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 20), st.sampled_from([2, 3]), st.booleans(),
    st.sampled_from([1, 7, 127]),
)  # fmt: skip
def test_a_graph_is_its_matrix(seed: int, outputs: int, inputs: int, operands: int, limited: bool, most: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-most, most + 1, (outputs, inputs)) * (rng.random((outputs, inputs)) < 0.7)
    ends = np.sort(rng.integers(-20, 21, (inputs, 2)), axis=1).tolist()
    longest = max(1, int(np.abs(digits_of(matrix)).sum((1, 2)).max()))
    levels = int(np.ceil(np.log2(longest))) + 1 if limited else None
    graph = solve(matrix, ends, operands=operands, levels=levels)
    x = rng.integers([lo for lo, _ in ends], [hi + 1 for _, hi in ends], (50, inputs))
    assert np.array_equal(graph.evaluate(x), x @ matrix.T)
    assert all(2 <= len(adder.terms) <= operands and not adder.terms[0].negative for adder in graph.adders)
    assert levels is None or graph.depth <= levels
    assert sum(o is not None for o in graph.outputs) == matrix.any(1).sum()


def digits_of(matrix: np.ndarray) -> np.ndarray:
    """Non-adjacent form, digit by digit in Python."""
    rows = []
    for row in matrix.tolist():
        found = []
        for weight in row:
            digits = []
            for _ in range(9):
                digit = 2 - weight % 4 if weight % 2 else 0
                digits.append(digit)
                weight = (weight - digit) // 2
            found.append(digits)
        rows.append(found)
    return np.array(rows)


def test_sums_are_shared() -> None:
    """Half of the weights are zero: an adder less than non-zero weights per output, if nothing were shared."""
    matrix = ternary(0, 16, 36)
    graph = solve(matrix, [(-128, 127)] * 36)
    assert len(graph.adders) < 0.35 * (np.count_nonzero(matrix) - 16)
    assert len(solve(matrix, [(-128, 127)] * 36, operands=2).adders) < 0.6 * (np.count_nonzero(matrix) - 16)


def test_equal_negated_and_empty_rows_are_computed_once() -> None:
    row = [1, -1, 0, 1, 1, -1]
    matrix = np.array([row, row, [-w for w in row], [0] * 6, [0, 0, -1, 0, 0, 0]])
    graph = solve(matrix, [(0, 3)] * 6)
    assert len(graph.adders) == 2
    first, second, third, fourth, fifth = graph.outputs
    assert first is not None
    assert second == first
    assert third == Term(first.value, not first.negative)
    assert fourth is None
    assert fifth is not None
    assert fifth.negative


def test_a_matrix_of_zeros_has_no_adder() -> None:
    graph = solve(np.zeros((3, 4), np.int64), [(0, 1)] * 4)
    assert (graph.adders, graph.outputs) == ((), (None,) * 3)
    assert not graph.evaluate(np.ones((2, 4), np.int64)).any()


def test_the_same_seed_gives_the_same_graph(tmp_path, monkeypatch) -> None:
    matrix, ends = ternary(1, 16, 72), [(0, 15)] * 72
    first = solve(matrix, ends, seed=3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # found again, not read back
    again = solve(matrix, ends, seed=3)
    assert (first.adders, first.outputs) == (again.adders, again.outputs)
    assert solve(matrix, ends, seed=4).adders != first.adders


@pytest.mark.parametrize("damage", ["another sign", "half a file", "no arrays", "values out of range"])
def test_what_is_read_back_is_proved_and_found_again(damage: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    matrix, ends = ternary(1, 12, 48), [(0, 15)] * 48
    graph = solve(matrix, ends)
    [stored] = (tmp_path / "crq" / "graphs").iterdir()
    content = stored.read_bytes()
    with np.load(stored) as found:
        adders, outputs = found["adders"], found["outputs"]
    if damage == "half a file":
        stored.write_bytes(content[: len(content) // 2])
    elif damage == "no arrays":
        np.savez(stored, nothing=adders)
    else:
        adders[0, 2] *= -1
        adders[0, 1] = 10**6 if damage == "values out of range" else adders[0, 1]
        np.savez(stored, adders=adders, outputs=outputs)
    assert solve(matrix, ends).adders == graph.adders
    with np.load(stored) as found:  # the right answer is kept now
        assert found["adders"][0, 1] != 10**6
    assert solve(matrix, ends).adders == graph.adders


def test_a_cache_that_cannot_be_written_costs_time_alone(monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    kernel._function.cache_clear()
    try:
        matrix = ternary(1, 12, 48)
        assert np.array_equal(solve(matrix, [(0, 15)] * 48).matrix(), matrix)
    finally:
        kernel._function.cache_clear()


def test_a_layer_without_sharing_is_trees() -> None:
    """Beyond what the search takes: as many additions as terms less outputs, in little memory."""
    matrix = ternary(3, 128, 700)
    terms = int(np.count_nonzero(matrix))
    assert terms > 40_000
    graph = solve(matrix, [(0, 1)] * 700, operands=2)
    assert len(graph.adders) == terms - 128


def test_more_weights_than_a_device_holds_are_refused() -> None:
    with pytest.raises(HwError, match=r"131,\d\d\d non-zero digits of weights; an adder graph has at most 131,072"):
        solve(np.ones((100, 1311), np.int64) - 2 * np.tri(100, 1311, dtype=np.int64), [(0, 1)] * 1311)


def test_levels_bound_the_depth_where_a_balanced_tree_just_fits() -> None:
    matrix = ternary(5, 12, 64, zeros=0.0)
    assert solve(matrix, [(0, 1)] * 64, operands=2, levels=6).depth == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operands": 4}, "adders of 4 operands: expected 2 or 3"),
        ({"levels": 1}, "1 levels of adders of 3 operands hold no sum of 6 terms"),
        ({"ranges": [(1, 0)] * 6}, "interval is empty"),
    ],
)
def test_arguments_out_of_range_are_named(options: dict, message: str) -> None:
    ranges = options.pop("ranges", [(0, 1)] * 6)
    with pytest.raises(HwError, match=message):
        solve(np.ones((2, 6), np.int64), ranges, **options)
