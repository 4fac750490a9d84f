"""A loss that is no number is named by its batch, whenever the device is asked."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from crq.train.finite import FiniteLosses


@given(st.integers(1, 7), st.lists(st.sampled_from([0.5, float("nan"), float("inf"), 2.0]), max_size=20))
def test_the_first_bad_batch_is_named_at_the_next_look(every: int, losses: list[float]) -> None:
    watch, bad = FiniteLosses(every), [i for i, loss in enumerate(losses) if loss not in (0.5, 2.0)]
    for batch, loss in enumerate(losses):
        found = watch.add(torch.tensor(loss, requires_grad=True), batch)
        seen = [i for i in bad if i <= batch]
        assert found == (seen[0] if seen and (batch + 1) % every == 0 else None)
    assert watch.look() == (bad[0] if bad else None)


def test_a_cpu_is_asked_in_every_step() -> None:
    assert FiniteLosses().add(torch.tensor(float("nan")), 3) == 3
