"""What a port carries: what is written, and what a property may hold."""

from __future__ import annotations

import pytest

from crq.hw.errors import HwError
from crq.hw.ir.ends import INPUT_KINDS, OUTPUT_KINDS, InputFacts, OutputFacts, written


def test_the_scale_is_always_written_and_the_rest_where_it_is_not_its_default() -> None:
    assert written(InputFacts()) == {"scale": 1.0}
    assert written(InputFacts(scale=0.5, range=(-1, 1))) == {"scale": 0.5, "range": (-1, 1)}
    assert written(OutputFacts(offset=[1.0, 2.0], tensor="s")) == {"scale": 1.0, "offset": [1.0, 2.0], "tensor": "s"}


def test_every_fact_has_a_kind() -> None:
    assert InputFacts.__dataclass_fields__.keys() == INPUT_KINDS.keys()
    assert OutputFacts.__dataclass_fields__.keys() == OUTPUT_KINDS.keys()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("scale", "2", 2.0), ("range", "[-1, 1]", (-1, 1)), ("range", "[[0, -1], [3, 4]]", ([0, -1], [3, 4])),
        ("zero_point", "3", 3), ("layout", "NHWC", "NHWC"), ("shape", "[4, 3]", (4, 3)),
        ("preprocessing", '[["Mul", 2.0]]', (("Mul", 2.0),)), ("names", '[["a", 3]]', (("a", 3),)),
    ],
)  # fmt: skip
def test_a_property_is_read(name: str, text: str, value: object) -> None:
    assert INPUT_KINDS[name].parsed("crq.input", text) == value


@pytest.mark.parametrize(("name", "text"), [("range", "[1]"), ("range", "[[1], [2, 3]]"), ("zero_point", "0.5"),
                                            ("shape", "[0]"), ("shape", "[]"), ("names", '[["a"]]')])  # fmt: skip
def test_a_property_of_another_kind_is_named(name: str, text: str) -> None:
    with pytest.raises(HwError, match=rf"metadata crq\.input2\.{name} .*: expected "):
        INPUT_KINDS[name].parsed(f"crq.input2.{name}", text)
