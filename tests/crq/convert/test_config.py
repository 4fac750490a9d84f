"""What `prepare` may be told."""

import subprocess
import sys
import tomllib

import pytest

from crq.convert.config import TernaryConfig
from crq.errors import CrqError
from crq.quant import METHOD_NAMES
from crq.train import recipe
from tests.support.recipes import values

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
        ({"integer": "first"}, "integer must be a dict by layer pattern, as {.*}, not 'first'"),
        ({"layers": ["0"]}, "layers must be a dict by layer pattern"),
        ({"layers": {"0": 8}}, r"layers\['0'\] must be a dict of options, as {'integer': 8}, not 8"),
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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mthod": "twn"}, r"layers\['a'\]: unknown option 'mthod' \(did you mean 'method'\?\)"),
        ({"method": "twm"}, r"layers\['a'\]: unknown method 'twm' \(did you mean 'twn'"),
        ({"penalty": -1}, "penalty must be a factor of λ, 0 or more, not -1"),
        ({"skip": 1}, "skip must be true or false, not 1"),
        ({"integer": 9}, r"layers\['a'\].integer must be an integer from 2 to 8, not 9"),
        ({"integer": 8, "method": "twn"}, "an integer layer has no other options"),
    ],
)
def test_options_of_layers_are_checked(options: dict, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        TernaryConfig(layers={"a": options})


def test_options_of_layers_travel_through_recipes() -> None:
    layers = {"features.*": {"method": "twn"}, "head": {"skip": True}}
    plan = recipe.parse(values(ternary={"layers": layers}))
    assert plan.ternary.layers == layers
    assert recipe.parse(tomllib.loads(plan.to_toml())) == plan
    assert "layers head are float (ternary.layers)" in str(plan.ternary.not_exportable)
    with pytest.raises(CrqError, match="unknown option 'lam'"):
        recipe.parse(values(ternary={"layers": {"head": {"lam": 1.0}}}))
