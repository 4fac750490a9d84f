"""Which modules have an integer form."""

import pytest
from torch import fx, nn

from crq.convert.supported import check_exact, is_dropout
from crq.errors import CrqError


class DropPath(nn.Module):
    """As timm's."""


def test_dropout_of_every_kind() -> None:
    assert all(is_dropout(m) for m in (nn.Dropout(), nn.Dropout2d(), nn.AlphaDropout(), DropPath()))
    assert not any(is_dropout(m) for m in (nn.ReLU(), nn.Identity(), nn.MaxPool2d(2)))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.MaxPool1d(2, dilation=2), "a max pool with dilation"),
        (nn.AvgPool2d(2, padding=1, count_include_pad=False), "count_include_pad=False divides by different sizes"),
        (nn.AvgPool2d(2, divisor_override=3), "divisor_override"),
        (nn.ConvTranspose2d(1, 1, 3, output_padding=1, dilation=2), r"must be smaller than the stride \(1, 1\)"),
        (nn.ConvTranspose1d(1, 1, 3, 2, output_padding=2, dilation=3), r"must be smaller than the stride \(2,\)"),
    ],
)
def test_what_has_no_integer_form_or_no_file_is_named(layer: nn.Module, message: str) -> None:
    with pytest.raises(CrqError, match=f"layer '0': .*{message}"):
        check_exact(fx.symbolic_trace(nn.Sequential(layer, nn.Conv2d(1, 1, 1))))
