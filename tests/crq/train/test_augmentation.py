"""What a recipe may say of augmentation."""

from itertools import permutations

import pytest

from crq.errors import CrqError
from crq.train import recipe
from crq.train.augmentation import WORDS, Augmentation
from tests.support.recipes import values


def test_words_are_joined_in_any_order() -> None:
    assert not any(Augmentation.parse("none"))
    for words in permutations(("crop", "flip", "cutout")):
        assert Augmentation.parse("-".join(words)) == Augmentation(crop=True, flip=True, cutout=True)
    assert Augmentation._fields == WORDS


@pytest.mark.parametrize("text", ["rotate", "crop-rotate", "flip-flip", "none-flip", "", "crop,flip", "resized-crop"])
def test_a_recipe_names_what_it_cannot_take(text: str) -> None:
    with pytest.raises(CrqError, match=r"data\.augment") as refused:
        recipe.parse(values(data__augment=text))
    assert repr(text) in str(refused.value)
    assert any(word in str(refused.value) for word in ("joined by hyphens", "choose one"))
