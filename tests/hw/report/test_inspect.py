"""What is in a file: layers, codes and sizes, counted from the file's own tensors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from crq import export
from crq.hw.errors import HwError
from crq.hw.report.inspect import describe
from tests.support.legal_files import HEAD, model, tail
from tests.support.nets import Signal, frozen
from tests.support.qonnx_files import quant


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> Path:
    """A file of another exporter, with general scales."""
    path = tmp_path_factory.mktemp("inspect") / "foreign.onnx"
    proto = model([*HEAD, quant("c", "q", "q1", signed=1), *tail("q")])
    proto.producer_name, proto.producer_version = "elsewhere", "7"
    onnx.save(proto, path)
    return path


def test_a_foreign_file_by_hand(foreign: Path) -> None:
    facts = describe(foreign)
    constants = {i.name: numpy_helper.to_array(i) for i in onnx.load(foreign).graph.initializer}
    zeros = {"conv": int((constants["w"] == 0).sum()), "fc": int((constants["f"] == 0).sum())}
    macs = {row["name"]: row for row in facts["layers"] if "weights" in row}
    assert {n: (r["kind"], r["weights"], r["zeros"], r["weight_type"]) for n, r in macs.items()} == {
        "conv": ("Conv", 5 * 2 * 9, zeros["conv"], "TERNARY"), "fc": ("Dense", 15, zeros["fc"], "TERNARY"),
    }  # fmt: skip
    assert macs["conv"]["macs"] == 90 * 36
    assert macs["conv"]["alpha"] is None
    assert (facts["input"]["shape"], facts["input"]["type"]) == ([2, 6, 6], "UINT4")
    assert facts["input"]["scale"] == pytest.approx(0.07)
    assert facts["output"]["shape"] == [3, 1, 1]
    assert (facts["weights"], facts["ternary_weights"], facts["multiplier_free"]) == (105, 105, True)
    assert (facts["carrier"], facts["packed_bytes"], facts["producer"]) == (None, None, "elsewhere 7")
    assert facts["bytes"] == foreign.stat().st_size
    thresholds = next(row for row in facts["layers"] if row["name"] == "q1")
    assert (thresholds["thresholds"], thresholds["code_type"]) == (5 * 15, "INT4")
    assert json.loads(json.dumps(facts)) == facts


def test_our_own_file_knows_its_gains_and_its_packed_bytes(tmp_path: Path) -> None:
    frozen_model = frozen(Signal)
    export.to_qonnx(frozen_model, tmp_path / "own.onnx")
    facts = describe(tmp_path / "own.onnx")
    macs = {row["name"]: row for row in facts["layers"] if "weights" in row}
    assert {name: row["alpha"] for name, row in macs.items()} == {
        name: float(frozen_model.steps[name].alpha) for name in ("conv1", "conv2", "fc")
    }
    assert facts["packed_bytes"] == sum(-(-row["weights"] // 4) for row in macs.values())
    assert facts["carrier"] == "packed"
    assert facts["metadata"]["frozen_hash"] == frozen_model.content_hash
    assert "layers" not in facts["metadata"]


def test_integer_layers_are_not_called_multiplier_free(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).integers(-7, 8, (5, 2, 3, 3)).astype(np.float32)
    onnx.save(model([*HEAD, quant("c", "q", "q1", signed=1), *tail("q")], w=weights), tmp_path / "m.onnx")
    facts = describe(tmp_path / "m.onnx")
    assert not facts["multiplier_free"]
    assert (facts["weights"], facts["ternary_weights"]) == (105, 15)


@pytest.mark.parametrize("text", ["no JSON", "3", '[{"name": "conv"}]', '{"name": "conv"}'])
def test_damaged_metadata_is_named(text: str, foreign: Path, tmp_path: Path) -> None:
    proto = onnx.load(foreign)
    proto.metadata_props.add(key="crq.layers", value=text)
    onnx.save(proto, tmp_path / "m.onnx")
    with pytest.raises(HwError, match="metadata 'crq.layers': is no list of layers"):
        describe(tmp_path / "m.onnx")


def test_what_the_reader_refuses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HwError, match="no such file"):
        describe(tmp_path / "absent.onnx")
