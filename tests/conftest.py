"""One thread per process: the networks are tiny, and two test processes share the machine."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is first imported, and inherited by subprocesses
