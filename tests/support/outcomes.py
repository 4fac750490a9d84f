"""What became of reading a file: its class, and where in the code."""

from __future__ import annotations

import os
import re
import signal
import traceback
from pathlib import Path
from typing import NamedTuple

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx

READ, REFUSED, UNNAMED, CATCH_ALL, UNCAUGHT = "read", "refused", "refused, no place", "catch-all", "uncaught"
CLASSES = (READ, REFUSED, UNNAMED, CATCH_ALL, UNCAUGHT)
PLACES = r"(node|input|output|initializer|sparse initializer|constant|tensor|metadata|layer) '"
"""What a refusal names, if it does not speak of the file as a whole."""
WHOLE = (
    r"not an ONNX|no such file|file schema|opset|\[malformed\] *$|inputs; expected one|expected exactly one|one input"
)
SECONDS = 30


class Outcome(NamedTuple):
    kind: str
    message: str
    site: str = ""
    """Of what is no clear refusal: the exception and the line that raised it."""


class TooSlow(BaseException):
    """Reading took longer than `SECONDS`; no Exception, so that nothing takes it for a damaged file's."""


def outcome(data: bytes, path: Path) -> Outcome:
    """Read `data` as the file `path`, which is written."""
    path.write_bytes(data)
    before = signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        Network(read_qonnx(path))
    except HwError as error:
        message = str(error)
        if "cannot be read (" in message:
            return Outcome(CATCH_ALL, message, _site(error.__context__ or error))
        named = path.name in message and (re.search(PLACES, message) or re.search(WHOLE, message))
        return Outcome(REFUSED if named else UNNAMED, message, "" if named else _site(error))
    except (Exception, TooSlow) as error:  # a table of whatever there is
        return Outcome(UNCAUGHT, f"{type(error).__name__}: {error}", _site(error))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return Outcome(READ, "")


def _stop(*_: object) -> None:
    raise TooSlow(f"not read within {SECONDS} s")


def _site(error: BaseException) -> str:
    """The last line of ours that the exception went through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f"{os.sep}hw{os.sep}" in f.filename] or list(frames)
    last = ours[-1]
    name = last.filename.rpartition(f"{os.sep}hw{os.sep}")[2]
    return f"{type(error).__name__} at hw/{name}:{last.lineno} {last.name}"
