"""`crq check`: every link of the chain, and its exit code."""

import json

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import numpy_helper

from crq import export, hw
from crq.hw.cli.check import check
from crq.hw.forms.verdicts import kept
from crq.hw.verify.link import Link
from tests.support.nets import Plain, frozen


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("check")
    model = frozen(Plain)
    model.save(folder / "frozen.pt")
    export.to_qonnx(model, folder / "m.onnx")
    return folder


def links(folder, *arguments: str) -> tuple[int, dict]:
    result = CliRunner().invoke(check, [str(folder / "m.onnx"), "--limit", "20", "--json", *arguments])
    return result.exit_code, json.loads(result.stdout)


def test_a_file_on_its_own(folder) -> None:
    code, facts = links(folder)
    assert code == 0
    assert len(facts["links"]) >= 4
    assert all(link["differing"] == 0 < link["integers"] for link in facts["links"])
    assert facts["float32"] is not None


def test_with_the_model_it_was_exported_from(folder) -> None:
    code, facts = links(folder, "--reference", str(folder))
    assert code == 0
    names = [link["name"] for link in facts["links"]]
    assert names[:4] == [
        "file in onnxruntime (optimizations off) = PyTorch", "file in onnxruntime (default) = PyTorch",
        "file in qonnx = PyTorch", "PyTorch = integer graph",
    ]  # fmt: skip
    assert facts["float32"] is None


def test_a_changed_weight_is_found_and_ends_with_1(folder, tmp_path) -> None:
    proto = onnx.load(folder / "m.onnx")
    packed = next(i for i in proto.graph.initializer if i.name == "conv1.weight.packed")
    values = numpy_helper.to_array(packed).copy()
    values[0] = 0 if values[0] else 1
    packed.CopyFrom(numpy_helper.from_array(values.astype(np.uint8), packed.name))
    onnx.save(proto, tmp_path / "m.onnx")
    code, facts = links(tmp_path, "--reference", str(folder))
    assert code == 1
    assert any(link["differing"] for link in facts["links"])


def test_a_verdict_is_kept_in_the_project_that_was_built_from_the_file(folder, tmp_path) -> None:
    project = hw.build(folder / "m.onnx", tmp_path / "p")
    code, _ = links(folder, "--reference", str(folder), "--project", str(project.directory))
    assert code == 0
    [entry] = kept(project).values()
    assert (entry["equal"], entry["differing"], entry["stale"]) == (True, 0, None)
    assert entry["integers"] > 0
    assert entry["reference"]["file"].endswith("frozen.pt")


def test_a_project_of_another_file_is_refused(folder, tmp_path) -> None:
    export.to_qonnx(frozen(Plain, seed=4), tmp_path / "m.onnx")
    project = hw.build(tmp_path / "m.onnx", tmp_path / "p")
    done = CliRunner().invoke(check, [str(folder / "m.onnx"), "--project", str(project.directory)])
    assert isinstance(done.exception, hw.HwError)
    assert "was built from m.onnx, which is not" in str(done.exception)


def test_what_crq_does_not_claim_is_shown_and_is_no_verdict() -> None:
    link = Link("file in onnxruntime (default) = PyTorch", 3, 30, 2, claimed=False)
    assert str(link).startswith("DIFFERS")
    assert not link.equal
