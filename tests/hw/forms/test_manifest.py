"""manifest.json: what is written is read, and other files are refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crq.hw.dataflow.units import Fold
from crq.hw.errors import HwError
from crq.hw.forms.manifest import FILE, Manifest

MANIFEST = Manifest(
    project="digits", target="hls", source={"name": "m.onnx", "sha256": "00ff"}, part="xc7z020clg400-1",
    board="PYNQ-Z2", clock_period=5.0,
    io_type="io_stream", folding={"conv1": Fold(2, 9, "bram"), "größe.2": Fold(1)}, goal="10 images per second",
    why={"conv1": "given", "größe.2": "least area"}, wanted={"fps": 10.0},
    layers={"conv1": "conv1", "größe.2": "gr__e_2"},
    tops={"network": "digits", "axi": "digits_axi"}, inputs=[{"bits": 8}], results=[{"bits": 16}],
    testbench={"images": 32, "given": 8, "sha256": "ab"}, versions={"crq": "0.1.0"},
    files={"README.md": "cd"},
)  # fmt: skip


def test_a_manifest_comes_back(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(MANIFEST.to_json())
    found = Manifest.read(file)
    assert found == MANIFEST
    assert isinstance(found.folding["conv1"], Fold)
    assert found.folding["größe.2"] == Fold(1, 1, "auto")


def test_the_file_is_json_with_the_format_first() -> None:
    facts = json.loads(MANIFEST.to_json())
    assert list(facts)[0] == "format"
    assert facts["format"] == 6
    assert facts["folding"] == {"conv1": list(Fold(2, 9, "bram")), "größe.2": list(Fold(1))}
    assert facts == MANIFEST.to_dict()
    assert MANIFEST.to_json().endswith("}\n")


def facts(**changes: object) -> str:
    found = {**MANIFEST.to_dict(), **changes}
    return json.dumps({k: v for k, v in found.items() if v is not ...})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no manifest of a crq project .*build the project again"),
        ("half of {", "no manifest of a crq project"),
        ("[1]", "no manifest of a crq project"),
        ("3", "no manifest of a crq project"),
        ("\xff\xfe", "no manifest of a crq project"),
        ("{}", "format None; this version reads format 6. Build the project again"),
        (facts(format=2), "format 2; this version reads format 6"),
        (facts(format="3"), "format '3'; this version reads format 6"),
        (facts(folding=...), "no manifest of a crq project .*'folding'"),
        (facts(part=...), "no manifest of a crq project .*'part'"),
        (facts(colour="red"), "no manifest of a crq project .*'colour'"),
        (facts(folding={"conv1": 3}), "no manifest of a crq project"),
        (facts(folding={"conv1": [*Fold(1, 2), 6]}), "no manifest of a crq project"),
        (facts(folding=[1, 2]), "no manifest of a crq project"),
    ],
)
def test_other_files_are_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(HwError, match=message) as refused:
        Manifest.read(file)
    assert str(refused.value).startswith(f"{file}: ")


def test_further_ports_have_keys_with_their_number(tmp_path: Path) -> None:
    made = replace(MANIFEST, inputs=[{"bits": 8}, {"bits": 16}], results=[{"bits": 32}, {"bits": 64}, {"bits": 8}])
    facts = made.to_dict()
    assert [facts[key]["bits"] for key in ("input", "input2", "result", "result2", "result3")] == [8, 16, 32, 64, 8]
    (tmp_path / FILE).write_text(made.to_json())
    assert Manifest.read(tmp_path / FILE) == made
