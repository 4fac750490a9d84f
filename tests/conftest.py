"""One thread per process: the networks are tiny, and two test processes share the machine. Ctrl-C is handled."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.skips import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is first imported, and inherited by subprocesses


# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("crq", deadline=None)
hypothesis.settings.load_profile("crq")


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> Iterator[None]:
    """A job in the background (`nohup scripts/test.sh &`, many CI runners) is born with SIGINT ignored, and so are its
    children: tests of Ctrl-C need Python's own handler."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
