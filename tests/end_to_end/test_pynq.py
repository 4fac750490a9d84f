"""The PYNQ driver: a model of PYNQ's DMA moves its words through the network's AXI4-Stream core in Verilator."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from crq.hw.ir.vectors import all_vectors
from crq.hw.project import RtlProject
from crq.hw.rtl.cores import axi_words
from crq.hw.rtl.drive import run
from tests.support.rtl_projects import copied, needs_verilator, project

pytestmark = needs_verilator


class Buffer(np.ndarray):
    """Memory that the DMA sees: what was not flushed is not sent, what is not invalidated is not seen."""

    flushed = False

    def flush(self) -> None:
        self.flushed = True

    def invalidate(self) -> None:
        self.view(np.ndarray)[:] = self.arrived

    def freebuffer(self) -> None:
        self.freed = True


class Dma:
    """Simple mode: a transfer to memory ends at TLAST, and words wait until one is set up."""

    def __init__(self, made: RtlProject) -> None:
        self.made, self.sent, self.waiting = made, None, []
        self.sendchannel, self.recvchannel = Channel(self.send), Channel(self.receive)

    def send(self, buffer: Buffer) -> None:
        assert buffer.flushed
        [source], _ = axi_words(self.made.plan)
        words = buffer.view(np.ndarray).reshape(-1, source.per_image, source.bits // 8)
        found = run(self.made.core(), [words])
        self.results = list(np.asarray(found.streams[0].words))

    def receive(self, buffer: Buffer) -> None:
        self.waiting.append(buffer)

    def settle(self) -> None:
        for buffer in self.waiting:
            result = np.ascontiguousarray(self.results.pop(0)).view(np.uint8).ravel()
            assert result.size == buffer.size
            buffer.arrived = result
        self.waiting = []


class Channel:
    def __init__(self, transfer) -> None:
        self.transfer = transfer

    def wait(self) -> None:
        self.transfer.__self__.settle()


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[RtlProject, ModuleType]:
    made = copied(project(), tmp_path / "p")
    folder = made.vivado("pynq-z2")
    pynq = ModuleType("pynq")
    pynq.Overlay = lambda file: type("Overlay", (), {"dma": Dma(made), "file": file})()
    pynq.allocate = lambda shape, dtype: np.zeros(shape, dtype).view(Buffer)
    monkeypatch.setitem(sys.modules, "pynq", pynq)
    for name, path in (("host", made.directory / "host.py"), ("driver", folder / "driver.py")):
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    return made, sys.modules["driver"]


def test_its_integers_are_those_of_the_network(driver: tuple[RtlProject, ModuleType]) -> None:
    made, module = driver
    codes = all_vectors(made.network, 4, bounding_limit=2)
    network = module.Network()
    assert network.overlay.file.endswith("net.bit")
    expected = made.integers(codes, layout="NCHW")
    assert np.array_equal(network.integers(codes).reshape(len(codes), -1), expected)
    assert np.array_equal(network.run(codes), made.network.logits(expected))


def test_the_folder_is_the_products_own(driver: tuple[RtlProject, ModuleType]) -> None:
    made, _ = driver
    own = (made.directory / "build" / "own.json").read_text()
    assert '"vivado/pynq-z2/build.tcl"' in own
