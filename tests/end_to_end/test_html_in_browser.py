"""The report's page in a real browser: no wider than a phone, nothing on the console."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from crq.hw.dataflow.units import Fold, units
from crq.hw.ir.graph import Network
from crq.hw.report.model import build_report
from tests.support import random_graphs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A frame as wide as a phone: a headless window cannot be that narrow. What does not fit widens the document in it.
FRAME = """<html><body><iframe id="page" src="report.html" style="width:{width}px;height:60000px;border:0"></iframe>
<script>document.getElementById("page").onload = () => {{
  const root = document.getElementById("page").contentDocument.documentElement;
  document.body.setAttribute("data-widths", root.scrollWidth + " " + root.clientWidth);
}}</script></body></html>"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [390, 1280])
def test_no_wider_than_the_screen_and_a_silent_console(width: int, tmp_path: Path) -> None:
    model = random_graphs.resnet(1)
    for node in model.graph.node:
        node.name = f"features_adaptive_{node.name}"
    network = Network(model)
    slowest = {unit.name: Fold(1) for unit in units(network)}  # the longest numbers
    why = {unit.name: "one of 36, since the stream in front of it is no faster" for unit in units(network)}
    info = {
        "name": "a_network_of_a_long_name", "folding": {"goal": "speed" * 30, "why": why},
        "commands": ["crq build " + "a_folder_of_a_long_name/" * 9], "versions": {"crq": "0.1.0+" + "f" * 40},
        "verdict": {"images": 1, "integers": 10, "differing": 0, "against": "a_file_of_a_long_name" * 9},
    }  # fmt: skip
    report = build_report(network, slowest, "PYNQ-Z2", 5.0, project_info=info)
    page = report.to_html(tmp_path / "report.html")
    page.write_text(page.read_text().replace("<details>", "<details open>"))
    assert max(u["last_output_cycle"] for u in report.to_dict()["units"]) > 1_000_000
    (tmp_path / "frame.html").write_text(FRAME.format(width=width))
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--virtual-time-budget=5000",
         "--dump-dom", (tmp_path / "frame.html").as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = re.search(r'data-widths="(\d+) (\d+)"', done.stdout)
    assert found, done.stderr[-2000:]
    assert int(found[1]) <= int(found[2]) == width
    assert ":CONSOLE" not in done.stderr
