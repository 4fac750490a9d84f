"""One family of errors, and the word that was meant."""

from pathlib import Path

import pytest
import torch

import crq
from crq.errors import CrqError, ToolError, VerificationError, few, nearest, nearest_names, non_finite


def test_exit_codes() -> None:
    assert [kind.exit_code for kind in (VerificationError, CrqError, ToolError)] == [1, 2, 3]
    for kind in (VerificationError, ToolError):
        with pytest.raises(CrqError):
            raise kind("no")
    assert issubclass(CrqError, ValueError)


def test_the_nearest_word() -> None:
    assert nearest("trian", ["run", "train", "export"]) == " (did you mean 'train'?)"
    assert nearest("qqq", ["run", "train"]) == ""
    assert nearest("x", []) == ""
    assert nearest("linear", ["constant", "cosine", "step", "one-cycle"]) == ""  # half of the letters are chance


def test_several_near_words_come_in_order_of_likeness() -> None:
    known = ("conv1", "conv2", "conv10", "fc")
    assert nearest_names("conv1", known)[0] == "conv1"
    assert set(nearest_names("conv1", iter(known))) == {"conv1", "conv2", "conv10"}
    assert nearest_names("conv1", known, n=1) == ["conv1"]
    assert nearest_names("conv", known, cutoff=0.9) == []
    assert nearest_names("conv", known, n=4, cutoff=0.5) != []


def test_long_lists_are_cut() -> None:
    assert few(["a", "b"]) == "a, b"
    assert few(list(map(str, range(13)))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"


def test_non_finite_weights_are_named() -> None:
    assert str(non_finite("fc.weight")).startswith("fc.weight has non-finite weights: ")


def test_warnings_name_the_line_of_the_user(recwarn: pytest.WarningsRecorder) -> None:
    images = 50 * torch.rand(8, 3)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    model = crq.prepare(net, example_input=images)  # one
    crq.quantize(model, [images])  # two
    model.train()(images)  # three
    here = Path(__file__).read_text().splitlines()
    told = [(warning.filename, here[warning.lineno - 1].partition("# ")[2]) for warning in recwarn.list]
    assert told == [(__file__, "one"), (__file__, "two"), (__file__, "three")]
