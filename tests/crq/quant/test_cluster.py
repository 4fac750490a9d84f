"""Solvers of Eq. 3: optimality, agreement, and every edge case."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.errors import CrqError
from crq.quant import cluster


def captured(weight: torch.Tensor, found: cluster.Clusters) -> float:
    """(Σ kept |w|)²/k in float64: the energy of the set of weights that `found` keeps."""
    kept = weight.double().abs()[found.codes != 0]
    return float(kept.sum()) ** 2 / kept.numel() if kept.numel() else 0.0


def brute_force(weight: torch.Tensor) -> float:
    """Least J over all 3^N codes, each with its best α."""
    w = weight.double()
    best = float(w.square().sum())
    for codes in itertools.product((-1.0, 0.0, 1.0), repeat=w.numel()):
        t = torch.tensor(codes, dtype=torch.float64)
        if t.any():
            alpha = (w @ t) / (t @ t)
            best = min(best, float((w - alpha * t).square().sum()))
    return best


def adversarial() -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(3)
    normal = torch.randn(20_000, generator=g)
    spike = normal * 1e-3
    spike[7] = 100.0
    return {
        "normal": normal,
        "uniform": torch.rand(20_000, generator=g) - 0.5,
        "spike": spike,
        "two modes": torch.cat([normal[:5000] * 0.01 + 1, normal[5000:10000] * 0.01 - 0.3]),
        "heavy tail": normal / torch.rand(20_000, generator=g).square().clamp_min(1e-6),
        "constant": torch.full((5000,), -0.37),
        "one bin": 1 + torch.rand(5000, generator=g) / 128,
        "powers": torch.pow(2.0, torch.arange(-60, 60).float()),
        "harmonic": 1 / torch.arange(1, 5001).float(),
        "clustered": normal.sign() * (normal.abs() > 0.6) * (1 + 1e-4 * normal.flip(0)),
        "spikes on a plateau": torch.cat([torch.full((30_000,), 1e-3), torch.tensor([0.1, 0.1, 1.0])]),
        "zeros and denormals": torch.cat([torch.zeros(1000), normal[:1000] * 2.0**-140]),
        # The weights are handled 2¹⁸ at a time; the last piece need not be a multiple of anything.
        "two pieces": torch.randn(2**18 + 2**17 + 3, generator=g),
        "two blocks of the bins": torch.randn(2**22 + 5, generator=g),
        "root": 1 / torch.arange(1, 5001).float().sqrt(),  # (Σ top-k)²/k is nearly flat: every bin is a candidate
    }


@pytest.mark.parametrize("name", adversarial())
def test_histogram_reaches_the_global_optimum(name: str) -> None:
    w = adversarial()[name]
    best = captured(w, cluster.exact(w))
    assert captured(w, cluster.histogram(w)) == pytest.approx(best, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=6))
def test_exact_is_optimal_against_all_codes(values: list[float]) -> None:
    w = torch.tensor(values)
    best = brute_force(w)
    for solve in (cluster.exact, cluster.histogram):
        assert solve(w).cost(w) <= best * (1 + 1e-5) + 1e-9


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 400), st.floats(0, 4))
def test_histogram_agrees_with_exact(seed: int, count: int, spread: float) -> None:
    g = torch.Generator().manual_seed(seed)
    w = torch.randn(count, generator=g) * torch.exp(spread * torch.randn(count, generator=g))
    assert captured(w, cluster.histogram(w)) == pytest.approx(captured(w, cluster.exact(w)), rel=1e-6)


@pytest.mark.parametrize("count", [3000, 5000, 2**18 + 77])
def test_alternation_is_algorithm_1(count: int) -> None:
    w = torch.randn(count, generator=torch.Generator().manual_seed(0)).double()
    alpha = w.abs().mean()
    for _ in range(200):  # Eq. 8 and Eq. 9, literally
        t = torch.where(w.abs() > alpha / 2, w.sign(), 0.0)
        alpha = (w @ t) / (t @ t)
    found = cluster.alternate(w)
    assert found.alpha.dtype == torch.float32
    assert torch.equal(found.codes.float(), t)
    assert float(found.alpha) == pytest.approx(float(alpha), rel=1e-6)
    assert 1 < found.iterations < 100


def test_alternation_can_stop_at_a_local_optimum_and_a_start_changes_it() -> None:
    w = torch.cat([torch.ones(5), torch.full((200,), 0.2)])
    stuck = cluster.alternate(w, start=torch.tensor(1.0))
    assert stuck.cost(w) > 2 * cluster.exact(w).cost(w)
    assert cluster.alternate(w).cost(w) == pytest.approx(cluster.exact(w).cost(w))


@pytest.mark.parametrize("solve", [cluster.alternate, cluster.exact, cluster.histogram, cluster.per_channel])
class TestEdges:
    def test_empty(self, solve) -> None:
        found = solve(torch.zeros(0, 3))
        assert found.codes.shape == (0, 3)
        assert float(found.alpha) == 0.0

    def test_zeros(self, solve) -> None:
        w = torch.zeros(4, 5)
        found = solve(w)
        assert not found.codes.any()
        assert not found.alpha.any()
        assert found.relative_cost(w) == 0.0

    def test_one_weight(self, solve) -> None:
        found = solve(torch.tensor([[-0.3]]))
        assert found.codes.tolist() == [[-1]]
        assert float(found.alpha) == float(torch.tensor(0.3))

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_non_finite_is_named(self, solve, bad: float) -> None:
        with pytest.raises(CrqError, match=r"layer1\.conv has non-finite weights"):
            solve(torch.tensor([[1.0, bad]]), name="layer1.conv")

    @pytest.mark.parametrize("scale", [2.0**-146, 2.0**-130, 2.0**100, 2.0**126])
    def test_scaling_changes_nothing_but_alpha(self, solve, scale: float) -> None:
        w = torch.tensor([[1.5, -1.0, 0.25, 0.5, 1.0, -0.25]])
        plain, scaled = solve(w), solve(w * scale)
        assert torch.equal(plain.codes, scaled.codes)
        # Below 2⁻¹²⁶ α itself is rounded to a denormal.
        assert float(scaled.alpha) == pytest.approx(float(plain.alpha) * scale, rel=1e-6, abs=2.0**-149)

    def test_signs_follow_the_weights(self, solve) -> None:
        w = torch.randn(4, 50, generator=torch.Generator().manual_seed(1))
        codes = solve(w).codes
        assert codes.dtype == torch.int8
        assert bool((codes * w >= 0).all())
        assert codes.shape == w.shape

    def test_half_precision_weights(self, solve) -> None:
        w = torch.randn(8, 8, generator=torch.Generator().manual_seed(1)).bfloat16()
        assert torch.equal(solve(w).codes, solve(w.float()).codes)


@pytest.mark.parametrize("solve", [cluster.alternate, cluster.histogram])
def test_memory_format_changes_nothing(solve) -> None:
    w = torch.randn(8, 6, 3, 3, generator=torch.Generator().manual_seed(1))
    plain = solve(w)
    for other in (w.to(memory_format=torch.channels_last), torch.cat([w, w], 1)[:, :6], w.mT.contiguous().mT):
        found = solve(other)
        assert torch.equal(found.codes, plain.codes)
        assert float(found.alpha) == pytest.approx(float(plain.alpha), rel=1e-6)
    assert solve(w.to(memory_format=torch.channels_last)).codes.is_contiguous(memory_format=torch.channels_last)


def test_tie_goes_to_zero() -> None:
    # α = 1 from {1, 1, 1}; 0.5 = α/2 stays out of the alternation that starts there.
    found = cluster.alternate(torch.tensor([1.0, 1.0, -1.0, 0.5]), start=torch.tensor(1.0))
    assert found.codes.tolist() == [1, 1, -1, 0]


def test_weighted_optimum_matches_brute_force() -> None:
    g = torch.Generator().manual_seed(5)
    for _ in range(20):
        w, h = torch.randn(7, generator=g), torch.rand(7, generator=g)
        best = float((h * w * w).sum())
        for codes in itertools.product((-1.0, 0.0, 1.0), repeat=7):
            t = torch.tensor(codes)
            mass = (h * t * t).sum()
            if mass > 0:
                alpha = (h * w * t).sum() / mass
                best = min(best, float((h * (w - alpha * t).square()).sum()))
        assert cluster.exact(w, h).cost(w, h) == pytest.approx(best, rel=1e-4, abs=1e-7)


def test_weighted_with_equal_weights_is_unweighted() -> None:
    w = torch.randn(500, generator=torch.Generator().manual_seed(0))
    assert torch.equal(cluster.exact(w, torch.full((500,), 0.3)).codes, cluster.exact(w).codes)


def test_weighted_refuses_bad_hessians() -> None:
    w = torch.ones(3)
    with pytest.raises(CrqError, match=r"shape \(2,\), expected \(3,\)"):
        cluster.exact(w, torch.ones(2))
    with pytest.raises(CrqError, match="non-negative"):
        cluster.exact(w, -w)


def test_per_channel_solves_each_row() -> None:
    w = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(2))
    found = cluster.per_channel(w)
    assert found.alpha.shape == (5,)
    for row, alpha, codes in zip(w, found.alpha, found.codes, strict=True):
        alone = cluster.exact(row)
        assert torch.equal(codes, alone.codes)
        assert float(alpha) == pytest.approx(float(alone.alpha), rel=1e-6)


def test_spiky_solutions_are_warned_about() -> None:
    w = torch.full((1000,), 1e-4)
    w[0] = 50.0
    with pytest.warns(UserWarning, match=r"fc: only 0\.1% of the ternary codes are non-zero"):
        cluster.warn_if_spiky(cluster.exact(w), "fc")


@pytest.mark.slow
def test_ten_million_weights() -> None:
    w = torch.randn(10_000_000, generator=torch.Generator().manual_seed(0))
    assert captured(w, cluster.histogram(w)) == pytest.approx(captured(w, cluster.exact(w)), rel=1e-6)


def test_given_codes_get_their_best_scale() -> None:
    weight = torch.tensor([[3.0, -1.0, 0.5], [0.1, 0.0, -0.3]])
    codes = torch.tensor([[1, -1, 0], [0, 0, 0]], dtype=torch.int8)
    found = cluster.fitted(weight, codes)
    assert (float(found.alpha), found.codes is codes) == (2.0, True)
    assert cluster.fitted(weight, codes, per_channel=True).alpha.tolist() == [2.0, 0.0]
