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
    ("pool", "message"),
    [
        (nn.MaxPool1d(2, dilation=2), "a max pool with dilation"),
        (nn.AvgPool2d(2, padding=1, count_include_pad=False), "count_include_pad=False divides by different sizes"),
        (nn.AvgPool2d(2, divisor_override=3), "divisor_override"),
    ],
)
def test_pools_without_an_integer_form_are_named(pool: nn.Module, message: str) -> None:
    with pytest.raises(CrqError, match=f"layer '0': .*{message}"):
        check_exact(fx.symbolic_trace(nn.Sequential(pool, nn.Conv2d(1, 1, 1))))
