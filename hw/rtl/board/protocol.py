"""The wire protocol between host and board (docs/bitstream.md), version 1. All numbers are little-endian.

A request is ASK, version, command, a 16-bit argument, the first four bytes of the network's hash, for RUN an image, and
the CRC-32 of all that. An answer is ANSWER, version, status, a 16-bit length, as many bytes, and the CRC-32.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.errors import VerificationError
from crq.hw.ir.layers import Format, IntArray, Shape

VERSION = 1
ASK, ANSWER = 0xC5, 0x5C
RUN, TELL, SPEED = 1, 2, 3
OK = 0
ERRORS = {
    1: ("bad CRC", "bytes were lost or changed on the line: try a lower --baud"),
    2: ("wrong hash", "the board holds another network: program it with this project's bitstream"),
    3: ("overrun", "bytes came while the board was busy: one request at a time, and one program on the port"),
    4: ("unknown version", f"this host speaks version {VERSION}: make the bitstream with the same version of crq"),
    5: ("unknown command", "make the bitstream with the same version of crq"),
    6: ("timeout", "a request stopped in the middle: try again"),
}
"""What a status says, and what to do."""
HASH_BYTES = 8
TITLE = 5
HEADER = 9
FACTS = struct.Struct(f"<III{HASH_BYTES}s")


class DamagedAnswer(VerificationError):
    """What came back is no answer of this protocol."""


class Facts(NamedTuple):
    """What a board says of itself: bytes of an image and of a result, its clock, and the network's hash."""

    image: int
    result: int
    khz: int
    hash: bytes

    def packed(self) -> bytes:
        return FACTS.pack(*self)


def request(command: int, argument: int = 0, hash_: bytes = b"\0" * 4, image: bytes = b"") -> bytes:
    """A request as it goes over the line."""
    body = struct.pack("<BBBH4s", ASK, VERSION, command, argument, hash_[:4]) + image
    return body + struct.pack("<I", zlib.crc32(body))


def content(answer: bytes) -> tuple[int, bytes]:
    """(status, content) of a whole answer. Raises `DamagedAnswer`."""
    magic, version, status, length = struct.unpack_from("<BBBH", answer)
    if (magic, version) != (ANSWER, VERSION):
        raise DamagedAnswer(f"the board answered {answer[:TITLE].hex(' ')}, which is no answer of protocol {VERSION}")
    if len(answer) != TITLE + length + 4:
        raise DamagedAnswer(f"the board's answer has {len(answer)} bytes; it says {TITLE + length + 4}")
    (crc,) = struct.unpack("<I", answer[-4:])
    if crc != zlib.crc32(answer[:-4]):
        raise DamagedAnswer("the board's answer has a wrong CRC: bytes were lost or changed on the line")
    return status, answer[TITLE:-4]


def code_bytes(fmt: Format) -> int:
    """Bytes of one code or integer on the line."""
    return -(-fmt.bits // 8)


def packed_image(codes: NDArray[np.integer], fmt: Format) -> bytes:
    """Codes (C, H, W) as an image on the line: by row, column and channel."""
    flat = np.asarray(codes, np.int64).transpose(1, 2, 0).ravel()
    wide = flat.astype("<i8").tobytes()
    return np.frombuffer(wide, np.uint8).reshape(-1, 8)[:, : code_bytes(fmt)].tobytes()


def unpacked_result(data: bytes, shape: Shape, fmt: Format) -> IntArray:
    """The integers (C, H, W) of a result."""
    each = code_bytes(fmt)
    raw = np.zeros((shape.size, 8), np.uint8)
    raw[:, :each] = np.frombuffer(data, np.uint8).reshape(-1, each)
    values = raw.view("<i8").ravel().astype(np.int64)
    if fmt.signed:
        values -= (values >> (8 * each - 1)) << (8 * each)
    return values.reshape(shape.h, shape.w, shape.c).transpose(2, 0, 1)
