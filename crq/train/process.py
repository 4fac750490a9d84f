"""Training leaves the process as it found it: threads, random state, signal handlers, log levels, warning filters."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import torch

# Lightning announces devices and tips at every fit; the run's own output says what matters.
_TOLD = (
    ".*does not have many workers.*",
    ".*Checkpoint directory.*",
    ".*GPU available.*",
    ".*LeafSpec.*",
    ".*no `val_dataloader`.*",
)


@contextlib.contextmanager
def as_found(threads: int | None) -> Iterator[None]:
    """Inside, torch has `threads` CPU threads (None: as before) and may be seeded; afterwards all is as it was.

    Lightning puts the signal handlers back itself, but not where a signal comes before its training begins.
    """
    count, handlers = torch.get_num_threads(), _handlers()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        with _random_state():
            yield
    finally:
        torch.set_num_threads(count)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """Inside, Lightning's announcements are not shown."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    with warnings.catch_warnings():
        for message in _TOLD:
            warnings.filterwarnings("ignore", message)
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


@contextlib.contextmanager
def _random_state() -> Iterator[None]:
    """Torch's generators afterwards as before."""
    used = torch.cuda.is_initialized()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if used else ()):
        yield
    if not used and torch.cuda.is_initialized():  # as they would have begun: with the seed of the CPU's generator
        torch.cuda.manual_seed_all(torch.initial_seed())


def _handlers() -> dict[signal.Signals, Any]:
    """The handlers that Python code may set, which it may in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    return {number: handler for number, handler in found.items() if handler is not None}
