"""A build leaves the process as it found it: loggers, warning filters, threads, working directory, standard output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from crq import export
from tests.support.nets import Plain, frozen

PROGRAM = """
import logging, os, signal, sys, warnings
import hls4ml, numpy, onnx, onnxruntime, qonnx, torch  # what their imports change is theirs


def state():
    loggers = {n: l for n, l in logging.root.manager.loggerDict.items() if isinstance(l, logging.Logger)}
    return {
        "filters": list(warnings.filters),
        "loggers": {n: (l.level, list(l.handlers), l.disabled) for n, l in loggers.items()},
        "root": (logging.root.level, list(logging.root.handlers)),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "signals": {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)},
        "streams": (sys.stdout, sys.stderr, sys.excepthook),
    }


before = state()
import crq
from crq import export, hw
project = hw.build(sys.argv[1], sys.argv[2])
project.simulate(numpy.zeros((2, *project.network.inputs[0].shape), int))
project.report()
try:
    hw.build(sys.argv[1], sys.argv[2])
except hw.HwError:
    pass
after = state()
known = before["loggers"].keys()
after["loggers"] = {name: found for name, found in after["loggers"].items() if name in known}
changed = [key for key in before if before[key] != after[key]]
sys.exit(f"changed: {changed}" if changed else 0)
"""


def test_a_build_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "small.onnx"
    export.to_qonnx(frozen(Plain), file)
    command = [sys.executable, "-c", PROGRAM, str(file), str(tmp_path / "project")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ""
