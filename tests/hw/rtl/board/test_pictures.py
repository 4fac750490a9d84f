"""Picture files as codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.rtl.board.pictures import codes_of
from tests.support.random_graphs import GraphBuilder


def network(channels: int) -> Network:
    g = GraphBuilder((channels, 3, 4), "UINT8", seed=1)
    return Network(g.finish(g.conv("x", 2)))


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_codes(channels: int, tmp_path: Path) -> None:
    pixels = np.arange(12 * channels, dtype=np.uint8).reshape(3, 4, channels)
    Image.fromarray(pixels.squeeze()).save(tmp_path / "p.png")
    found = codes_of(network(channels), tmp_path / "p.png")
    np.testing.assert_array_equal(found, pixels.transpose(2, 0, 1)[None])
    np.save(tmp_path / "p.npy", found)
    np.testing.assert_array_equal(codes_of(network(channels), tmp_path / "p.npy"), found)


def test_what_is_no_picture_of_the_network(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "p.png")
    (tmp_path / "t.png").write_text("text")
    (tmp_path / "t.npy").write_text("text")
    with pytest.raises(HwError, match=r"a picture of 5×5 pixels; the network takes 4×3"):
        codes_of(network(1), tmp_path / "p.png")
    with pytest.raises(HwError, match="2 channels, which no picture has"):
        codes_of(network(2), tmp_path / "p.png")
    with pytest.raises(HwError, match="expected a picture or"):
        codes_of(network(1), tmp_path / "t.png")
    with pytest.raises(HwError, match="expected an array of input codes"):
        codes_of(network(1), tmp_path / "t.npy")
