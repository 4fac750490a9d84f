"""What every operation of a frozen network is: parameters and tensors that make it again."""

import pytest
import torch

from crq.convert.step import Step
from crq.convert.steps import STEPS


class Two(Step):
    def __init__(self, a: torch.Tensor, b: int) -> None:
        super().__init__(b=b)
        self.hold(a=a)


def test_tensors_are_copies_and_part_of_the_state() -> None:
    tensor = torch.arange(6).reshape(2, 3).T
    step = Two(tensor, 7)
    tensor += 1
    assert step.params == {"b": 7}
    assert step.state_dict()["a"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert step.a.is_contiguous()
    assert Two(**step.state_dict(), **step.params).params == step.params


@pytest.mark.parametrize("kind", STEPS.values(), ids=STEPS)
def test_every_kind_is_named_after_its_class(kind: type[Step]) -> None:
    assert issubclass(kind, Step)
    assert STEPS[kind.__name__] is kind
