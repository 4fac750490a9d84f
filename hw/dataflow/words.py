"""How the ends of a network pass a bus: words of a power of two of bits, as AXI DMA takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from crq.hw.dataflow.beats import MAX_BEAT_BITS
from crq.hw.ir.layers import IntArray, Shape, Tensor


class Passing(Protocol):
    """A tensor that passes `beat` values at a time, in `beats` beats per image."""

    @property
    def tensor(self) -> Tensor: ...
    @property
    def beat(self) -> int: ...
    @property
    def beats(self) -> int: ...


@dataclass(frozen=True)
class Port:
    """An end of the network: `tensor` in beats of `beat` values, in the order (row, column, channel)."""

    tensor: Tensor
    beat: int

    @property
    def shape(self) -> Shape:
        return self.tensor.shape

    @property
    def beats(self) -> int:
        """Beats per image."""
        return self.shape.size // self.beat

    @property
    def bits(self) -> int:
        """Of a beat."""
        return self.beat * self.tensor.format.bits


class Words(NamedTuple):
    """How a stream passes a bus: each beat in `per_beat` words of `bits`, `lanes` channels of `lane_bits` in each."""

    bits: int
    lanes: int
    lane_bits: int
    per_beat: int
    per_image: int

    @property
    def used(self) -> int:
        """Bits of a word that hold values."""
        return self.lanes * self.lane_bits

    @property
    def passing(self) -> str:
        """An image's words in words."""
        words = "1 word" if self.per_image == 1 else f"{self.per_image:,} words"
        return f"{words} of {self.bits} bits per image, {self.lanes} value{'' if self.lanes == 1 else 's'} in each"


def words_of(stream: Passing) -> Words:
    """The smallest words that AXI DMA takes, powers of two from 8 to 1,024 bits; wider beats are cut into several."""
    bits = stream.tensor.format.bits
    per_beat = -(-stream.beat // (MAX_BEAT_BITS // bits))
    lanes = -(-stream.beat // per_beat)
    return Words(max(8, 1 << (lanes * bits - 1).bit_length()), lanes, bits, per_beat, per_beat * stream.beats)


def whole_beats(stream: Passing) -> Words:
    """A beat per word, of as many bytes as it takes: how a simulation holds it."""
    bits = stream.tensor.format.bits
    return Words(-(-stream.beat * bits // 8) * 8, stream.beat, bits, 1, stream.beats)


def pack(values: IntArray, stream: Passing, words: Words) -> NDArray[np.uint8]:
    """Values (N, C, H, W) as bytes (N, words per image, bytes of a word), the first channel in the low bits."""
    lanes = np.zeros((len(values), stream.beats, words.per_beat * words.lanes), np.int64)
    lanes[:, :, : stream.beat] = values.transpose(0, 2, 3, 1).reshape(len(values), stream.beats, stream.beat)
    lanes = lanes.reshape(len(values), words.per_image, words.lanes)
    bits = np.zeros((len(values), words.per_image, words.bits), np.uint8)
    for i in range(words.lane_bits):
        bits[:, :, i : words.lane_bits * words.lanes : words.lane_bits] = (lanes >> i) & 1
    return np.packbits(bits, axis=-1, bitorder="little")


def unpack(data: NDArray[np.uint8], stream: Passing, words: Words) -> IntArray:
    """The inverse of `pack`: bytes of whole images, in any shape, to integers (N, C, H, W)."""
    fmt, (c, h, w) = stream.tensor.format, stream.tensor.shape
    bits = np.unpackbits(data.reshape(-1, words.per_image, words.bits // 8), axis=-1, bitorder="little")
    lanes = np.zeros((len(bits), words.per_image, words.lanes), np.int64)
    for i in range(words.lane_bits):
        lanes |= bits[:, :, i : words.lane_bits * words.lanes : words.lane_bits].astype(np.int64) << i
    sign = (1 << (fmt.bits - 1)) if fmt.signed else 0
    beats = lanes.reshape(len(lanes), stream.beats, words.per_beat * words.lanes)[:, :, : stream.beat]
    return ((beats ^ sign) - sign).reshape(-1, h, w, c).transpose(0, 3, 1, 2)
