"""The window of a parallel unit: registers, line buffers, and the steps of a pixel, counted by hand."""

from __future__ import annotations

import pytest

from crq.hw.cost.constants import multiplexer
from crq.hw.cost.resources import Resources
from crq.hw.cost.window import position_bits, select_price, steps_price, window_price
from crq.hw.dataflow.windows import Window
from crq.hw.ir.layers import Pads, Shape


def slide(c: int, h: int, w: int, kernel: tuple[int, int], pad: int = 0) -> Window:
    return Window(Shape(c, h, w), Shape(c, h, w), kernel, pads=Pads(pad, pad, pad, pad))


def test_the_window_is_registers_and_all_but_one_row_of_memory() -> None:
    """3 x 3 taps of 2 channels at 4 bits; two rows of 32 pixels, 16 bits each, are two words of 14 bits in LUTRAM."""
    found = window_price(slide(2, 8, 32, (3, 3)), 4)
    assert found.lutram == 2 * 8
    # Rows 3 bits, columns 5, two counters to 2, whether a window is there, the address of the LUTRAM again.
    assert found.ff == 9 * 2 * 4 + 3 + 5 + 2 + 2 + 1 + 5
    lying = window_price(slide(2, 8, 32, (1, 3)), 4)
    assert lying.lutram == lying.bram18 == 0


def test_long_lines_lie_in_block_ram() -> None:
    assert window_price(slide(8, 4, 512, (3, 3)), 8).bram18 == 4  # 512 words of 2 x 64 bits


def test_padding_gates_the_pixel_and_is_counted() -> None:
    bare, padded = slide(16, 8, 8, (3, 3)), slide(16, 8, 8, (3, 3), 1)
    assert window_price(padded, 4).logic >= window_price(bare, 4).logic + 64
    assert position_bits(padded) == 4 + 4 + 2 + 2
    assert position_bits(slide(16, 8, 8, (1, 1))) == 0


@pytest.mark.parametrize(
    ("chunks", "blocks", "ff"), [(1, 1, 0), (1, 4, 2), (4, 1, 2), (4, 4, 4), (9, 4, 4 + 2 + 6), (16, 8, 7)]
)
def test_an_address_that_does_not_join_is_counted(chunks: int, blocks: int, ff: int) -> None:
    found = steps_price(chunks, blocks)
    assert found.ff == ff
    assert (found.logic > 0) == (ff > 0)


def test_operands_are_chosen_and_registered() -> None:
    assert select_price(24, 3) == Resources(logic=24 * multiplexer(3), ff=24)
