"""The wire protocol: what goes over the line is what came, and damage is seen."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.ir.layers import Format, Shape
from crq.hw.rtl.board import protocol as p


def answer(status: int = p.OK, content: bytes = b"") -> bytes:
    body = struct.pack("<BBBH", p.ANSWER, p.VERSION, status, len(content)) + content
    return body + struct.pack("<I", zlib.crc32(body))


def test_a_request_byte_by_byte() -> None:
    made = p.request(p.RUN, 0x1234, b"\x01\x02\x03\x04\x05", b"image")
    assert made[:-4] == b"\xc5\x01\x01\x34\x12\x01\x02\x03\x04image"
    assert zlib.crc32(made) == 0x2144DF1C  # of anything with its own CRC


@given(st.integers(0, 6), st.binary(max_size=40), st.integers(0), st.integers(0, 7))
def test_answers_and_their_damage(status: int, content: bytes, byte: int, bit: int) -> None:
    whole = answer(status, content)
    assert p.content(whole) == (status, content)
    damaged = bytearray(whole)
    damaged[byte % len(whole)] ^= 1 << bit
    with pytest.raises(p.DamagedAnswer):
        p.content(bytes(damaged))


@given(st.integers(1, 16), st.booleans(), st.integers(0, 2**32))
def test_integers_come_back(bits: int, signed: bool, seed: int) -> None:
    fmt, shape = Format(bits, signed), Shape(3, 2, 4)
    lo, hi = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    values = np.random.default_rng(seed).integers(lo, hi, tuple(shape))
    packed = p.packed_image(values, fmt)
    assert len(packed) == 24 * p.code_bytes(fmt)
    assert (p.unpacked_result(packed, shape, fmt) == values).all()


def test_every_status_has_its_words() -> None:
    assert sorted(p.ERRORS) == [1, 2, 3, 4, 5, 6]
    assert p.FACTS.size == 20
