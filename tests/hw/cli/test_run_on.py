"""`crq run-on`: a simulated board at a pseudo-terminal classifies files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from crq.hw.cli.run_on import _answers, run_on
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors, random_codes
from crq.hw.project import open_project
from crq.hw.read import read_qonnx
from crq.hw.rtl.bitstream.simulate import running
from crq.hw.rtl.board import driver
from tests.support.boards import DIGEST, needs_serial, simulation
from tests.support.rtl_projects import copied, needs_verilator, project
from tests.support.several_ends import vectors


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
    np.testing.assert_allclose([a["results"][0] for a in answers], expected)
    assert [a["class"] for a in answers] == expected.argmax(1).tolist()


class Board:
    """Answers with the golden model."""

    def __init__(self, network) -> None:
        self.network = network

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None: ...

    def facts(self) -> None: ...

    def integers(self, codes):
        return evaluate(self.network, codes)


def test_every_sample_of_a_file_has_its_own_line(tmp_path: Path, monkeypatch) -> None:
    found = project()
    monkeypatch.setattr(driver, "connected", lambda port, network, digest: Board(network))
    codes = all_vectors(found.network, 3)[:3]
    np.save(tmp_path / "two.npy", codes[:2])
    np.save(tmp_path / "one.npy", codes[2:])
    files = [str(tmp_path / "two.npy"), str(tmp_path / "one.npy")]
    done = CliRunner().invoke(run_on, ["port", *files, "--project", str(found.directory), "--json"])
    rows = json.loads(done.output)
    assert [row["image"] for row in rows] == [f"{files[0]}[0]", f"{files[0]}[1]", files[1]]
    np.testing.assert_allclose([row["results"][0] for row in rows], found.network.logits(found.integers(codes)))


def test_several_outputs_are_told_apart_and_name_no_class() -> None:
    network = Network(read_qonnx(vectors()))
    integers = evaluate(network, random_codes(network, 2).reshape(2, *network.inputs[0].shape))
    rows = _answers(network, integers)
    channels = [count for _, count in network.metadata.outputs[0].names]
    assert [[len(part) for part in row["results"]] for row in rows] == [channels, channels]
    assert not any("class" in row for row in rows)
