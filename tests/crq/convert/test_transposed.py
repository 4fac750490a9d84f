"""Features moved to the last axis, or back."""

import pytest
import torch

from crq.convert.transposed import Transposed


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 5)])
def test_there_and_back(shape: tuple[int, ...]) -> None:
    x = torch.arange(torch.Size(shape).numel()).reshape(shape)
    last, first = (Transposed(len(shape), to_first) for to_first in (False, True))
    assert torch.equal(last(x), x.movedim(1, -1))
    assert torch.equal(first(x), x.movedim(-1, 1))
    assert torch.equal(first(last(x)), x)
