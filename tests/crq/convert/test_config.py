"""What `prepare` may be told."""

import pytest

from crq.convert.config import TernaryConfig
from crq.errors import CrqError
from crq.quant import METHOD_NAMES

ONE_SCALE = [name for name in METHOD_NAMES if name != "ttq"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"act_bits": 9}, "act_bits must be an integer from 1 to 8, not 9"),
        ({"residual_bits": 1}, "residual_bits must be an integer from 2 to 8"),
        ({"integer": {"fc": 1}}, r"integer\['fc'\] must be an integer from 2 to 8"),
        ({"input_scale": 1 / 255}, "input_scale must be a power of two"),
        ({"method": "crq++"}, r"unknown method 'crq\+\+' \(did you mean 'crq\+'\?\)"),
        ({"skip": "fc"}, "skip must be a list"),
        ({"method": "ttq", "per_channel": True}, "ttq learns two scales"),
    ],
)
def test_config_errors_name_option_and_expectation(options: dict, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        TernaryConfig(**options)
