"""The host's end of the wire protocol: a board at a serial port."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crq.errors import ToolError
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import IntArray
from crq.hw.rtl.board import protocol
from crq.hw.rtl.board.wrap import BAUD

WAIT = 5.0
"""Seconds that an answer may take, beside its own time on the line."""


class Board:
    """A board that holds `network`, whose hash begins with `digest`."""

    def __init__(self, port: Any, network: Network, digest: bytes, wait: float = WAIT) -> None:
        self.port, self.network, self.digest, self.wait = port, network, digest, wait

    def facts(self) -> protocol.Facts:
        """What the board says of itself. Raises `HwError` unless it holds this network."""
        found = protocol.Facts(*protocol.FACTS.unpack(self.ask(protocol.TELL)))
        if found.hash != self.digest[: protocol.HASH_BYTES]:
            raise HwError(
                f"the board holds the network {found.hash.hex()}, this is {self.digest[: protocol.HASH_BYTES].hex()}: "
                "program it with this project's bitstream (crq bitstream DIR --board NAME --program)"
            )
        return found

    def speed_up(self, khz: int, divisor: int) -> int:
        """Lets a bit take `divisor` cycles of the board's clock; the baud rate that this is."""
        self.ask(protocol.SPEED, divisor)
        time.sleep(0.002)  # the board changes when its answer's stop bit is over
        self.port.baudrate = round(khz * 1000 / divisor)
        return int(self.port.baudrate)

    def integers(self, codes: NDArray[np.integer], done: Callable[[int], None] = lambda n: None) -> IntArray:
        """The network's integers (N, C, H, W) of input codes (N, C, H, W), an image after the other."""
        [given], [result] = self.network.inputs, self.network.outputs
        out = self.network.carried(result)
        found = np.empty((len(codes), *out.shape), np.int64)
        for i, image in enumerate(codes):
            packed = protocol.packed_image(image, given.format)
            answer = self.ask(protocol.RUN, image=packed)
            found[i] = protocol.unpacked_result(answer, out.shape, result.format)
            done(i + 1)
        return found

    def ask(self, command: int, argument: int = 0, image: bytes = b"") -> bytes:
        """The content of the answer to a request. Raises `HwError` for an error that the board reports."""
        self.port.write(protocol.request(command, argument, self.digest, image))
        title = self._read(protocol.TITLE)
        rest = self._read(int.from_bytes(title[3:5], "little") + 4)
        status, content = protocol.content(title + rest)
        if status != protocol.OK:
            name, remedy = protocol.ERRORS.get(status, (f"status {status}", "make the bitstream again"))
            raise HwError(f"the board reports {name}: {remedy}")
        return content

    def _read(self, count: int) -> bytes:
        self.port.timeout = self.wait + 20 * count / self.port.baudrate
        data = bytes(self.port.read(count))
        if len(data) < count:
            raise protocol.DamagedAnswer(
                f"{self.port.port}: {len(data)} of {count} bytes came within {self.port.timeout:.1f} s; is the board "
                "programmed with this project's bitstream, and is this its serial port?"
            )
        return data


@contextlib.contextmanager
def connected(port: str, network: Network, digest: bytes, wait: float = WAIT) -> Iterator[Board]:
    """A board at a serial port, its protocol begun anew by a break. Raises `HwError` if the port cannot be opened."""
    try:
        import serial
    except ImportError as error:
        raise ToolError('a board is reached with pyserial: pip install "crq[bitstream]"') from error
    try:
        opened = serial.Serial(port, BAUD)
    except (OSError, ValueError) as error:
        raise HwError(f"port {port}: {error}; expected a serial port such as /dev/ttyUSB0") from error
    with opened:
        opened.send_break(0.05)
        time.sleep(0.01)
        opened.reset_input_buffer()
        yield Board(opened, network, digest, wait)
