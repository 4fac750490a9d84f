"""A data set of real values."""

import pytest
import torch

from crq.errors import CrqError
from crq.train.sources.values import ValueData


def test_it_is_a_dataset() -> None:
    x = torch.arange(12.0).reshape(4, 3)
    data = ValueData(x, torch.tensor([0, 1, 0, 1]), ("a", "b"), "d")
    assert (len(data), data.shape) == (4, (3,))
    assert data[1][0].tolist() == [3, 4, 5]
    few = data.subset(torch.tensor([3, 1]))
    assert (few.values.tolist(), few.labels.tolist()) == (x[[3, 1]].tolist(), [1, 1])
    assert torch.equal(data.take(torch.tensor([2])), x[2:3])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.zeros(2, 3).double(), r"values must be float32 \[N, …\] with N labels, not torch.float64"),
        (torch.zeros(3, 3), r"not torch.float32 \(3, 3\) with 2"),
        (torch.full((2, 3), torch.inf), "holds values that are not finite"),
    ],
)
def test_what_it_refuses(values: torch.Tensor, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        ValueData(values, torch.zeros(2), ("a",), "d")
