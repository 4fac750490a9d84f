"""`crq check`: every link of the chain, and its exit code."""

import json

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import numpy_helper

import export
from hw.cli.check import check
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
