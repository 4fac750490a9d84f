"""A loss that is no number is named by its batch, whenever the device is asked."""

import functools
import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crq.errors import CrqError
from crq.train.finite import FiniteLosses
from tests.support.recipes import run

NAN, INFINITE = float("nan"), float("inf")
_steps = itertools.count()


@given(st.integers(1, 7), st.lists(st.sampled_from([0.5, NAN, INFINITE, 2.0]), min_size=1, max_size=20))
def test_the_first_bad_batch_is_named_at_the_next_look(every: int, losses: list[float]) -> None:
    watch, bad = FiniteLosses(every), [i for i, loss in enumerate(losses) if loss not in (0.5, 2.0)]
    for batch, loss in enumerate(losses):
        last = batch == len(losses) - 1
        found = watch.add(torch.tensor(loss, requires_grad=True), batch, last)
        seen = [i for i in bad if i <= batch]
        assert found == (seen[0] if seen and (last or (batch + 1) % every == 0) else None)


def test_a_cpu_is_asked_in_every_step() -> None:
    assert FiniteLosses().add(torch.tensor(NAN), 3) == 3


def once_bad(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy that is no number in the third step."""
    loss = torch.nn.functional.cross_entropy(outputs, targets)
    return loss * NAN if next(_steps) == 2 else loss


@pytest.mark.parametrize("every", [1, 50])
@pytest.mark.parametrize("method", ["ste", "crq"])
def test_a_run_names_phase_and_batch_whenever_it_looks(tmp_path, monkeypatch, every: int, method: str) -> None:
    monkeypatch.setattr("crq.train.phases.FiniteLosses", functools.partial(FiniteLosses, every))
    monkeypatch.setitem(globals(), "_steps", itertools.count())
    with pytest.raises(
        CrqError, match=r"phase pretrain: the loss is not finite at epoch 0, batch 2.*or check the data"
    ):
        run(tmp_path / "run", loss=f"{__name__}:once_bad", ternary={"method": method})
