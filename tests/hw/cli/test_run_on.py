"""`crq run-on`: a simulated board at a pseudo-terminal classifies files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from hw.cli.run_on import run_on
from hw.ir.vectors import all_vectors
from hw.project import open_project
from hw.rtl.bitstream.simulate import running
from tests.support.boards import DIGEST, needs_serial, simulation
from tests.support.rtl_projects import copied, needs_verilator, project


@needs_serial
@needs_verilator
def test_files_in_and_classes_out(tmp_path: Path) -> None:
    found = copied(project(), tmp_path / "p")
    facts = replace(found.manifest, source={**found.manifest.source, "sha256": DIGEST.hex()})
    (tmp_path / "p" / "manifest.json").write_text(facts.to_json())
    codes = all_vectors(found.network, 2)[:2]
    expected = open_project(tmp_path / "p").network.logits(project().integers(codes))
    for i, image in enumerate(codes):
        np.save(tmp_path / f"{i}.npy", image[None])
    with running(simulation(), 50e6, 20_000) as terminal:
        arguments = [terminal, str(tmp_path / "0.npy"), str(tmp_path / "1.npy"), "--project", str(tmp_path / "p")]
        done = CliRunner().invoke(run_on, [*arguments, "--baud", "6250000", "--json"], catch_exceptions=False)
    answers = json.loads(done.output)
    np.testing.assert_allclose([a["logits"] for a in answers], expected)
    assert [a["class"] for a in answers] == expected.argmax(1).tolist()
