"""The images that ship with a project."""

from __future__ import annotations

import numpy as np

from crq.hw.forms.vectors import as_stream, data_file, images_in_words, vectors
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import Shape
from crq.hw.ir.vectors import random_codes
from tests.support.rtl_projects import small


def table(text: str) -> np.ndarray:
    return np.array([[int(v) for v in line.split()] for line in text.splitlines()])


def test_given_images_come_first_and_what_is_expected_is_what_they_give() -> None:
    network = Network(small())
    given = random_codes(network, 3, seed=9)
    made = vectors(network, [network.outputs[0].shape], given)
    codes = table(made.inputs)
    assert (made.facts["images"], made.facts["given"], len(codes)) == (32, 3, 32)
    np.testing.assert_array_equal(codes[:3], given.transpose(0, 2, 3, 1).reshape(3, -1))
    images = codes.reshape(-1, 5, 5, 2).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(table(made.expected), evaluate(network, images).reshape(len(codes), -1))


def test_a_flattened_result_is_an_image_again() -> None:
    values = np.arange(2 * 12).reshape(2, 12, 1, 1)
    found = as_stream(values, Shape(3, 2, 2))
    assert found[0, :, 0, 1].tolist() == [3, 4, 5]
    assert data_file([found]).splitlines()[0] == " ".join(map(str, range(12)))


def test_what_they_are_in_words() -> None:
    assert images_in_words({"images": 4, "given": 0}).startswith("4 images; they are random")
    assert images_in_words({"images": 4, "given": 2}).startswith("4 images: the first 2 were given")
