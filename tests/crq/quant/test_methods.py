"""The methods: codes and α from weights."""

import pytest
import torch

from crq.errors import CrqError
from crq.quant import METHOD_NAMES, methods

ONE_SCALE = [name for name in METHOD_NAMES if name != "ttq"]


def test_twn_threshold_and_scale() -> None:
    weight = torch.tensor([[0.1, -0.2, 0.9, -1.0, 0.8, 0.0]])  # mean |w| = 0.5, Δ = 0.35
    found = methods.get("twn").ternarize(weight, False, "fc")
    assert found.codes.tolist() == [[0, 0, 1, -1, 1, 0]]
    assert float(found.alpha) == pytest.approx(0.9)


def test_ste_is_mean_and_round() -> None:
    weight = torch.tensor([[0.1, -0.2, 0.9, -1.0, 0.8, 0.0]])  # α = 0.5; |w|/α rounds to 1 from 0.25 up
    found = methods.get("ste").ternarize(weight, False, "fc")
    assert found.codes.tolist() == [[0, 0, 1, -1, 1, 0]]
    assert float(found.alpha) == pytest.approx(0.5)


def test_unknown_method_names_the_nearest() -> None:
    with pytest.raises(CrqError, match=r"unknown method 'cqr' \(did you mean 'crq'\?\)"):
        methods.get("cqr")


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_every_method_by_its_name(name: str) -> None:
    assert methods.get(name).name == name
    found = methods.get(name).ternarize(torch.zeros(2, 3), False, "fc")
    assert (float(found.alpha), int(found.codes.abs().sum())) == (0.0, 0)
    with pytest.raises(CrqError, match="fc has non-finite weights"):
        methods.get(name).ternarize(torch.tensor([[1.0, float("nan")]]), False, "fc")


def test_crq_plus_is_never_worse_than_crq() -> None:
    for seed in range(20):
        weight = torch.randn(8, 40, generator=torch.Generator().manual_seed(seed)) ** 3
        costs = [methods.get(name).ternarize(weight, False, "fc").cost(weight) for name in ("crq+", "crq")]
        assert costs[0] <= costs[1] * (1 + 1e-6)
