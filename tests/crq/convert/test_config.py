"""What `prepare` may be told."""

import subprocess
import sys

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


def test_lists_and_float_are_taken_as_toml_gives_them() -> None:
    config = TernaryConfig(act_bits="float", skip=["first"], integer={"last": 8})
    assert (config.act_bits, config.skip, config.integer) == (None, ("first",), {"last": 8})
    assert TernaryConfig() == TernaryConfig(skip=[], integer={})


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, None),
        ({"integer": {"first": 8}}, None),
        ({"act_bits": None}, "activations are float"),
        ({"skip": ["a", "b"]}, "layers a, b are float"),
        ({"method": "ttq"}, "two scales"),
        ({"per_channel": True}, None),
    ],
)
def test_what_is_for_training_only_says_why(options: dict, reason: str | None) -> None:
    found = TernaryConfig(**options).not_exportable
    assert (found is None) if reason is None else reason in str(found)


def test_it_is_read_without_torch() -> None:
    code = "import sys, crq.convert.config, crq.train.recipe; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
