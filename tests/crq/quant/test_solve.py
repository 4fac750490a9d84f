"""Eq. 3 inside a step: α·t of the solvers, and the same optima by sorts alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.errors import CrqError
from crq.quant import cluster
from crq.quant.solve import Known, Solved, by_sort, scale, solve

SOLVERS = {"alternate": cluster.alternate, "optimum": cluster.exact, "rows": cluster.per_channel}


def weights(seed: int, rows: int = 6, spread: float = 1.0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 20, generator=g) * torch.exp(spread * torch.randn(rows, 20, generator=g))


def literal(weight: torch.Tensor, alpha: float | None = None) -> torch.Tensor:
    """Algorithm 1, word for word, in float64."""
    w = weight.double()
    a = w.abs().mean() if alpha is None else alpha
    for _ in range(1000):
        t = torch.where(w.abs() > a / 2, w.sign(), 0.0)
        a = (w * t).sum() / (t * t).sum()
    return a * t


@pytest.mark.parametrize("route", SOLVERS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_are_those_of_the_solvers_in_the_weights_layout(route, layout) -> None:
    w = torch.randn(8, 6, 3, 3, generator=torch.Generator().manual_seed(1)).to(memory_format=layout)
    expected = SOLVERS[route](w)
    for found in (solve(w, route), by_sort(w, route)):
        assert torch.allclose(found.values, expected.dequantized(), rtol=1e-6)
        assert torch.equal(found.values.sign(), expected.codes.float())
        assert found.values.stride() == w.stride()
        assert torch.allclose(found.alpha.float(), expected.alpha, rtol=1e-6)
    assert torch.equal(solve(w, route).values, expected.dequantized())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 3), st.one_of(st.none(), st.floats(1e-3, 10)))
def test_sorts_follow_algorithm_1_to_its_end(seed: int, spread: float, start: float | None) -> None:
    w = weights(seed, spread=spread)
    begin = None if start is None else torch.tensor(start, dtype=torch.float64)
    reaches = start is not None and float(w.abs().max()) > start / 2
    found = by_sort(w, "alternate", begin)
    assert torch.allclose(found.values.double(), literal(w, start if reaches else None), rtol=1e-5, atol=1e-7)
    assert float(found.alpha) == pytest.approx(scale(w, "alternate", "w", begin), rel=1e-5)


@pytest.mark.parametrize("route", SOLVERS)
@pytest.mark.parametrize("w", [torch.zeros(0, 3), torch.zeros(2, 3), torch.tensor([[-0.3]])])
def test_edges(route, w: torch.Tensor) -> None:
    for found in (solve(w, route), by_sort(w, route)):
        assert torch.equal(found.values, w)


@pytest.mark.parametrize("route", SOLVERS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(route, bad: float) -> None:
    w = weights(0)
    w[0, 3] = bad
    with pytest.raises(CrqError, match="fc has non-finite weights"):
        solve(w, route, "fc")
    assert torch.isnan(by_sort(w, route).values[0]).all()


def test_a_known_solution_is_for_equal_weights_alone() -> None:
    w = weights(0)
    marked = Solved(torch.full_like(w, 7.0), torch.tensor(7.0, dtype=torch.float64))
    known = Known(w.clone(), marked)
    assert solve(w, "optimum", known=known).values is marked.values
    w.mul_(2)
    assert torch.equal(solve(w, "optimum", known=known).values, cluster.exact(w).dequantized())


def test_a_start_beyond_the_weights_is_not_taken() -> None:
    w = weights(0)
    for start in (0.0, 1e6):
        begin = torch.tensor(start, dtype=torch.float64)
        assert torch.equal(solve(w, "alternate", start=begin).values, cluster.alternate(w).dequantized())
        assert torch.allclose(by_sort(w, "alternate", begin).values, cluster.alternate(w).dequantized())
