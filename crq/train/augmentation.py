"""What a recipe says of random changes to training images."""

from __future__ import annotations

from typing import NamedTuple

from crq.errors import CrqError

WORDS = ("crop", "resized", "flip", "cutout")


class Augmentation(NamedTuple):
    """Which changes: `crop` shifts by up to an eighth of the height with zero filling, `resized` shows a part of the
    image at its size (random resized crop), `flip` mirrors half of the images, `cutout` sets a square of half the
    height to zero (DeVries and Taylor 2017).
    """

    crop: bool = False
    resized: bool = False
    flip: bool = False
    cutout: bool = False

    @classmethod
    def parse(cls, text: str) -> Augmentation:
        """`none`, or words joined by hyphens (`crop-flip-cutout`). Raises `CrqError` for others."""
        words = [] if text == "none" else text.split("-")
        if set(words) - set(WORDS) or len(set(words)) < len(words):
            raise CrqError(f"augment takes none, or some of {', '.join(WORDS)} joined by hyphens, each once")
        if {"crop", "resized"} <= set(words):
            raise CrqError("augment crop and resized both cut the image: choose one")
        return cls(**dict.fromkeys(words, True))
