"""The file in its runtimes, as links."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper

from crq import export
from crq.export.errors import FileMismatch
from crq.hw.cli.runtimes import runtime_links
from tests.support.nets import Plain, frozen, images


def test_every_logit_is_compared_in_every_runtime(tmp_path: Path) -> None:
    model, x = frozen(Plain), images(Plain, 7)
    export.to_qonnx(model, tmp_path / "m.onnx")
    links = runtime_links(model, tmp_path / "m.onnx", x)
    assert [(link.images, link.integers, link.equal, link.claimed) for link in links] == [
        (7, 35, True, True), (7, 35, True, False), (7, 35, True, True),
    ]  # fmt: skip
    assert links[0].name == "file in onnxruntime (optimizations off) = PyTorch"


def test_a_scale_that_only_the_file_has_shows(tmp_path: Path) -> None:
    """No integer of the hardware knows the output's scale."""
    model = frozen(Plain)
    proto = export.to_qonnx(model, tmp_path / "m.onnx")
    [scale] = [i for i in proto.graph.initializer if i.name == "output.scale"]
    scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) * 2, scale.name))
    onnx.save(proto, tmp_path / "m.onnx")
    assert not any(link.equal for link in runtime_links(model, tmp_path / "m.onnx", images(Plain, 7)))


def test_another_models_file_is_refused(tmp_path: Path) -> None:
    export.to_qonnx(frozen(Plain, seed=4), tmp_path / "m.onnx")
    with pytest.raises(FileMismatch):
        runtime_links(frozen(Plain), tmp_path / "m.onnx", images(Plain, 2))
