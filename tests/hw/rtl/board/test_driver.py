"""The wire protocol from the driver through a pseudo-terminal to the board's circuits and back, errors too."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors
from crq.hw.rtl.board import protocol as p
from crq.hw.rtl.board.driver import connected
from tests.support.boards import DIGEST, board, needs_serial
from tests.support.rtl_projects import needs_verilator, project

pytestmark = [needs_serial, needs_verilator]


def exact() -> None:
    network = project().network
    codes = all_vectors(network, 5)
    with board(4) as found:
        expected = evaluate(network, codes).reshape(len(codes), *network.carried(network.outputs[0]).shape)
        np.testing.assert_array_equal(found.integers(codes), expected)


def test_images_in_and_integers_out() -> None:
    exact()


def test_what_the_board_says_of_itself() -> None:
    with board() as found:
        facts = found.facts()
        assert (facts.image, facts.result, facts.khz, facts.hash) == (50, 4, 50_000, DIGEST[:8])


def image() -> bytes:
    return bytes(50)


def test_every_error_is_answered_and_the_next_request_served() -> None:
    """Of each kind of damage; the network never sees an image whose CRC is wrong."""
    good = p.request(p.RUN, hash_=DIGEST, image=image())
    damaged = bytearray(good)
    damaged[20] ^= 4
    newer = b"\xc5\x09" + p.request(p.TELL)[2:-4]
    cases = {
        "bad CRC": bytes(damaged),
        "wrong hash": p.request(p.RUN, hash_=b"\x09" * 4, image=image()),
        "unknown version": newer + zlib.crc32(newer).to_bytes(4, "little"),
        "unknown command": p.request(77),
        "overrun": good + p.request(p.TELL),
    }
    with board() as found:
        right = found.ask(p.RUN, image=image())
        for name, sent in cases.items():
            found.port.write(sent)
            if name == "overrun":  # the first request is answered, and then what came too early
                answer = found._read(p.TITLE + len(right) + 4)
                assert p.content(answer) == (p.OK, right)
            status, content = p.content(found._read(p.TITLE + 4))
            assert (p.ERRORS[status][0], content) == (name, b"")
            assert found.ask(p.RUN, image=image()) == right


def test_a_request_that_stops_is_given_up() -> None:
    with board(4, patience=1_000_000) as found:
        found.port.write(p.request(p.TELL)[:6])
        status, content = p.content(found._read(p.TITLE + 4))
        assert (p.ERRORS[status][0], content) == ("timeout", b"")
        assert found.facts().image == 50


def test_a_speed_that_no_receiver_has() -> None:
    with board() as found, pytest.raises(HwError, match="the board reports unknown command"):
        found.ask(p.SPEED, 3)


def test_a_port_that_is_none_and_another_network() -> None:
    with (
        pytest.raises(HwError, match=r"port /dev/none: .*expected a serial port such as"),
        connected("/dev/none", project().network, DIGEST),
    ):
        pass
    with board() as found:
        found.digest = b"\x07" * 32
        with pytest.raises(HwError, match="holds the network 0001.*this is 0707.*program it"):
            found.facts()
