"""Verdicts are kept in the project with what they are of, and say when that changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crq import hw
from crq.hw.forms.folder import foreign
from crq.hw.forms.verdicts import content_hash, keep, kept
from tests.support.random_graphs import GraphBuilder

FACTS = {"against": "crq check", "images": 4, "integers": 96, "differing": 0, "equal": True}


@pytest.fixture
def built(tmp_path: Path) -> hw.Project:
    g = GraphBuilder((4,), "UINT4")
    return hw.build(g.finish(g.matmul("x", 2)), tmp_path / "p")


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.onnx"
    path.write_bytes(b"a reference")
    return path


def test_a_verdict_holds_while_nothing_changes(built, reference) -> None:
    assert kept(built) == {}
    keep(built, "check", FACTS, reference)
    entry = kept(built)["check"]
    assert {key: entry[key] for key in FACTS} == FACTS
    assert entry["stale"] is None
    assert entry["reference"]["file"] == str(reference)
    assert entry["versions"].keys() == {"crq", "hls4ml", "qonnx", "onnx", "numpy"}
    assert entry["created"].endswith("+00:00")


def test_a_later_verdict_takes_the_place_of_the_one_of_its_name(built) -> None:
    keep(built, "check", FACTS)
    keep(built, "simulate", FACTS)
    keep(built, "check", {**FACTS, "differing": 2})
    found = kept(built)
    assert {key: entry["differing"] for key, entry in found.items()} == {"check": 2, "simulate": 0}
    assert found["check"]["reference"] is None


def test_fewer_images_take_nothing_back(built, reference) -> None:
    proof = {"name": "sources", "ok": False, "skipped": False}
    keep(built, "simulate", {**FACTS, "differing": 5, "equal": False, "proofs": [proof]}, reference)
    keep(built, "simulate", {**FACTS, "images": 1, "integers": 24}, reference)
    assert kept(built)["simulate"]["differing"] == 5
    keep(built, "simulate", {**FACTS, "images": 9}, reference)  # more images: what failed may be mended, a proof is not
    assert (kept(built)["simulate"]["differing"], kept(built)["simulate"]["equal"]) == (0, False)
    keep(built, "simulate", {**FACTS, "images": 2, "differing": 1, "equal": False}, reference)
    assert kept(built)["simulate"]["differing"] == 1


def test_proofs_of_fewer_images_join_what_was_compared_on_more(built) -> None:
    proof = {"name": "sources", "ok": True, "skipped": False}
    layer = {"name": "layer", "differing": 1, "missing": []}
    keep(built, "simulate", FACTS)
    keep(built, "simulate", {**FACTS, "images": 1, "integers": 24, "proofs": [proof]})
    found = kept(built)["simulate"]
    assert (found["images"], found["proofs"], found["equal"]) == (4, [proof], True)
    keep(built, "simulate", {**FACTS, "layers": [layer], "equal": False})
    keep(built, "simulate", {**FACTS, "images": 1, "integers": 24, "proofs": [proof]})
    assert kept(built)["simulate"]["equal"] is False


def test_a_changed_project_makes_it_stale(built) -> None:
    keep(built, "check", FACTS)
    path = built.directory / "firmware" / "defines.h"
    text = path.read_text()
    path.write_text(text + "// changed\n")
    assert kept(built)["check"]["stale"] == "the project changed since"
    path.write_text(text)
    assert kept(built)["check"]["stale"] is None
    path.unlink()
    assert kept(built)["check"]["stale"] == "the project changed since"


def test_a_changed_reference_makes_it_stale(built, reference) -> None:
    keep(built, "check", FACTS, reference)
    reference.write_bytes(b"another")
    assert kept(built)["check"]["stale"] == f"{reference} changed since"
    reference.unlink()
    assert kept(built)["check"]["stale"] == f"{reference} is no longer there"


def test_the_file_of_verdicts_is_the_products_own(built) -> None:
    before = content_hash(built)
    keep(built, "check", FACTS)
    assert content_hash(built) == before
    assert foreign(built.directory) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        json.dumps({"schema": 0, "found": {"check": FACTS}}),
        json.dumps({"schema": 1, "found": {"check": FACTS}}),
    ],
)
def test_a_file_that_is_none_says_nothing(text: str, built) -> None:
    (built.directory / "verdicts.json").write_text(text)
    assert kept(built) == {}
