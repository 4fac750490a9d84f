"""Wrong keys in words, whatever the sections are."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from crq.train.problems import worded


@dataclass(frozen=True)
class Plain:
    width: int = 1

    def __post_init__(self) -> None:
        if self.width > 8:
            raise ValueError(f"width must be at most 8, not {self.width}")


def short(word: str) -> str:
    if len(word) > 3:
        raise ValueError("expected three letters")
    return word


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["wide", "narrow"] = "wide"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: Inner | None = None
    plain: Plain = Plain()
    options: dict[str, int] = {}
    word: Annotated[str, AfterValidator(short)] = ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "key 'name' is missing"),
        ({"name": "a", "inner": {"kin": 1}}, "unknown key 'inner.kin' (did you mean 'kind'?); known keys are kind"),
        (
            {"name": "a", "plain": {"widht": 1}},
            "unknown key 'plain.widht' (did you mean 'width'?); known keys are width",
        ),
        ({"name": "a", "plain": {"width": 12}}, "plain: width must be at most 8, not 12"),
        ({"name": "a", "inner": True}, "key 'inner': expected a table, inner = { kind = … }, got True"),
        ({"name": "a", "plain": 3}, "key 'plain': expected a table, plain = { width = … }, got 3"),
        ({"name": "a", "options": 3}, "key 'options': expected a table, options = { NAME = … }, got 3"),
        ({"name": "a", "word": "long"}, "key 'word': expected three letters, got 'long'"),
        (
            {"name": 3, "inner": {"kind": "wied"}},
            "key 'name': Input should be a valid string, got 3; key 'inner.kind': Input should be 'wide' or 'narrow', "
            "got 'wied' (did you mean 'wide'?)",
        ),
    ],
)
def test_every_problem_is_named_by_its_key(values: dict, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(values)
    assert worded(caught.value, Outer) == message


def test_a_section_alone_has_its_place() -> None:
    with pytest.raises(ValidationError) as caught:
        Inner.model_validate({"kin": 1})
    assert worded(caught.value, Outer, "inner").startswith("unknown key 'inner.kin'")
