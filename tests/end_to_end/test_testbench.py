"""The testbench of an RTL project, as its user runs it: cocotb with a simulator that it supports."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.dataflow.words import pack, words_of
from crq.hw.project import RtlProject
from tests.support.rtl_projects import small
from tests.support.several_sizes import image_and_table


def simulator() -> str | None:
    """One that cocotb 2 drives: Icarus, or a Verilator that is new enough."""
    if importlib.util.find_spec("cocotb_tools") is None:
        return None
    if shutil.which("iverilog"):
        return "icarus"
    if shutil.which("verilator"):
        text = subprocess.run(["verilator", "--version"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"Verilator (\d+)\.(\d+)", text)
        if found and (int(found[1]), int(found[2])) >= (5, 36):
            return "verilator"
    return None


MODELS = {"one stream": lambda: small(size=3), "several": image_and_table}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> RtlProject:
    made = hw.build(small(size=3), tmp_path_factory.mktemp("tb") / "p", project_name="net", target="rtl")
    assert isinstance(made, RtlProject)
    return made


@pytest.mark.skipif(simulator() is None, reason="cocotb 2 with Icarus or Verilator 5.036 is not installed")
@pytest.mark.parametrize("streams", ["one stream", pytest.param("several", marks=pytest.mark.slow)])
def test_the_tests_of_the_project_pass_and_find_a_fault(streams: str, tmp_path: Path) -> None:
    copy = hw.build(MODELS[streams](), tmp_path / "p", project_name="net", target="rtl").directory
    command = [sys.executable, str(copy / "tb" / "run.py")]
    environment = {**os.environ, "SIM": simulator() or "", "IMAGES": "1"}
    good = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stdout[-3000:] + good.stderr[-2000:]
    assert "TESTS=3 PASS=3 FAIL=0" in good.stdout
    expected = copy / "vectors" / "expected.dat"
    first, rest = expected.read_text().split(" ", 1)
    expected.write_text(f"{int(first) + 1} {rest}")
    bad = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert bad.returncode != 0
    assert "image 0, integer 0: found" in bad.stdout


def test_its_words_are_those_that_the_simulation_sends(project: RtlProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module without a simulator, on stand-ins for cocotb's."""
    fake = {name: types.ModuleType(name) for name in ("cocotb", "cocotb.clock", "cocotb.triggers")}
    fake["cocotb"].test = lambda: lambda function: function  # type: ignore[attr-defined]
    for name in ("Clock",):
        setattr(fake["cocotb.clock"], name, object)
    for name in ("FallingEdge", "RisingEdge", "with_timeout"):
        setattr(fake["cocotb.triggers"], name, object)
    for name, module in fake.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.syspath_prepend(str(project.directory / "tb"))
    monkeypatch.delitem(sys.modules, "host", raising=False)
    found = importlib.import_module("test_net")
    try:
        lines = (project.directory / "vectors" / "input_codes.dat").read_text().splitlines()[: found.IMAGES]
        codes = np.array([line.split() for line in lines], np.int64).reshape(-1, 3, 3, 2).transpose(0, 3, 1, 2)
        port = project.plan.inputs[0]
        packed = pack(codes, port, words_of(port))
        assert found.words() == [[int.from_bytes(word.tobytes(), "little") for word in image] for image in packed]
        pauses = found.bursts(1, 4)
        drawn = [pauses() for _ in range(200)]
        assert max(drawn) > project.plan.pipeline.interval
        assert 0 in drawn
    finally:
        sys.modules.pop("test_net", None)
        sys.modules.pop("host", None)
