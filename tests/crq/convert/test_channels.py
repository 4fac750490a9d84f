"""A choice of channels."""

import torch

from crq.convert.channels import Channels


def test_channels_are_a_view_where_they_can_be() -> None:
    x = torch.arange(24.0).reshape(2, 6, 2)
    part = Channels([1, 2, 3])(x)
    assert torch.equal(part, x[:, 1:4])
    assert part.data_ptr() == x[:, 1:].data_ptr()
    assert torch.equal(Channels([5, 0])(x), x[:, [5, 0]])
    assert repr(Channels([3, 3])) == "Channels(2 channels)"


def test_channels_of_zeros() -> None:
    x = torch.arange(24.0).reshape(2, 6, 2) + 1
    found = Channels([-1, 5, -1])(x)
    assert torch.equal(found[:, 1], x[:, 5])
    assert not found[:, [0, 2]].any()
