"""What enters a prepared network."""

import re
import warnings

import pytest
import torch

import crq
from crq.convert.inputs import find_input_quantizer, input_quantizer, values_of
from crq.errors import CrqError
from tests.support.nets import Plain, images


def test_the_input_quantizer_is_found() -> None:
    model = crq.prepare(Plain(), crq.TernaryConfig(input_bits=5, input_scale=0.5))
    assert (input_quantizer(model).bits, input_quantizer(model).scale) == (5, 0.5)
    floating = crq.prepare(Plain(), crq.TernaryConfig(act_bits=None))
    assert find_input_quantizer(floating) is None
    with pytest.raises(CrqError, match="not quantized"):
        input_quantizer(floating)


def test_integers_are_codes() -> None:
    model, codes = crq.prepare(Plain()), images(Plain, 3)
    found = [*values_of(model, [codes, (codes, 1), codes.float() / 256])]
    assert all(torch.equal(values, codes.float() / 256) for values in found)


def test_labels_are_no_batch() -> None:
    x, labels = images(Plain, 3), torch.zeros(3)
    for given in ((x, labels), [x, labels]):
        with pytest.raises(
            CrqError, match=r"a batch of shape \(3,\) after one .*goes in a list, \[\(images, labels\)\]"
        ):
            crq.quantize(crq.prepare(Plain()), given)
    crq.quantize(crq.prepare(Plain()), [(x, labels)])


def caught(act) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        act()
    return [str(warning.message) for warning in found]


OFF_GRID = {
    "standardized": (images(Plain, 32).float() / 255 - 0.1307) / 0.3081,
    "bytes as floats": images(Plain, 32).float(),
    "ToTensor": images(Plain, 32).float() / 255,
}
ON_GRID = {"bytes": images(Plain, 32).float() / 256, "any between 0 and 1": torch.rand(32, *Plain.shape)}


def train(model, x: torch.Tensor) -> None:
    for _ in range(9):
        model.train()(x).sum().backward()


@pytest.mark.parametrize("name", OFF_GRID)
@pytest.mark.parametrize("mode", ["float", "quantized"])
def test_each_place_warns_once_with_the_share_and_a_remedy(name: str, mode: str) -> None:
    x = OFF_GRID[name]
    messages = caught(lambda: crq.prepare(Plain(), example_input=x))
    assert len(messages) == 1
    assert messages[0].startswith(
        "crq.prepare(example_input=…): the network's input grid, multiples of 0.00390625 from 0"
    )
    assert re.search(r"changes \d+\.\d% of the values", messages[0])
    assert ("multiply them by 255 / 256" if name == "ToTensor" else "in TernaryConfig: that changes") in messages[0]
    model = crq.prepare(Plain())
    crq.set_mode(model, mode)
    (message,) = caught(lambda: (train(model, x), train(model, x)))
    assert message.startswith("training: ")
    first = caught(lambda: crq.quantize(model, [x] * 4))
    assert [m.split(":")[0] for m in first] == ["crq.quantize"]
    messages = caught(lambda: (crq.freeze(model, [x] * 4), crq.freeze(model, [x])))
    assert [m.split(":")[0] for m in messages] == ["crq.freeze"]
    other = crq.prepare(Plain())  # another model is another matter
    assert len(caught(lambda: train(other, x))) == 1


@pytest.mark.parametrize("name", ON_GRID)
def test_images_that_no_other_grid_suits_better_pass_in_silence(name: str) -> None:
    x = ON_GRID[name]
    model = crq.prepare(Plain(), example_input=x)
    assert not caught(lambda: (crq.prepare(Plain(), example_input=x), train(model, x)))
    assert not caught(lambda: (crq.quantize(model, [x]), crq.freeze(model, [x])))


def test_what_is_proposed_is_silent() -> None:
    for x in (OFF_GRID["standardized"], OFF_GRID["bytes as floats"]):
        model = crq.prepare(Plain(), crq.TernaryConfig(**crq.suggest_input([x]).options), x)
        assert not caught(lambda model=model, x=x: (train(model, x), crq.quantize(model, [x]), crq.freeze(model, [x])))


def test_evaluation_does_not_look() -> None:
    model = crq.prepare(Plain()).eval()
    assert not caught(lambda: model(OFF_GRID["standardized"]))
