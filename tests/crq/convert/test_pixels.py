"""A choice of pixels; and a row as a signal."""

import torch

from crq.convert.pixels import Pixels, Row


def test_pixels_are_a_view() -> None:
    x = torch.arange(48.0).reshape(1, 2, 4, 6)
    part = Pixels([(1, 4, 2), (0, 5, 1)])(x)
    assert torch.equal(part, x[:, :, 1:4:2, :5])
    assert part.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert repr(Pixels([(1, 4, 2)])) == "Pixels(1:4:2)"


def test_a_row_is_a_signal_and_back() -> None:
    x = torch.randn(2, 3, 1, 5)
    assert Row(True)(x).shape == (2, 3, 5)
    assert torch.equal(Row(False)(Row(True)(x)), x)
    assert repr(Row(True)) == "Row(to_signal=True)"
