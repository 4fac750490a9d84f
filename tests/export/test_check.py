"""The comparison of a file with its frozen model can fail."""

from __future__ import annotations

import onnx
import pytest

from crq import export
from crq.export.check import RUNTIMES, UNCLAIMED, check_file
from crq.export.errors import ExportError, FileMismatch
from tests.support.nets import Plain, frozen, images


def test_another_models_file_is_a_mismatch(tmp_path) -> None:
    export.to_qonnx(frozen(Plain, seed=1), tmp_path / "m.onnx")
    with pytest.raises(FileMismatch, match="not from this one"):
        check_file(frozen(Plain, seed=2), tmp_path / "m.onnx", images(Plain, 2))


def test_check_sees_a_changed_file(tmp_path) -> None:
    """The comparison can fail: one flipped weight in the file shows up in every runtime."""
    model = frozen(Plain)
    proto = export.to_qonnx(model, tmp_path / "m.onnx")
    packed = next(i for i in proto.graph.initializer if i.name == "fc.weight.packed")
    data = bytearray(packed.raw_data)
    data[0] ^= 0b10 if data[0] & 0b01 else 0b01
    packed.raw_data = bytes(data)
    onnx.save(proto, tmp_path / "m.onnx")
    assert all(r.different for r in check_file(model, tmp_path / "m.onnx", images(Plain, 40)))


@pytest.mark.parametrize("claimed", [True, False])
def test_a_runtime_that_does_not_run_the_file(claimed: bool, tmp_path, monkeypatch) -> None:
    model, x = frozen(Plain), images(Plain, 5)
    export.to_qonnx(model, tmp_path / "m.onnx")

    def fails(*_: object) -> None:
        raise RuntimeError("no kernel\nfor it")

    monkeypatch.setitem(RUNTIMES, "qonnx" if claimed else UNCLAIMED, fails)
    if claimed:
        with pytest.raises(ExportError, match=r"m.onnx: qonnx does not run the file: no kernel for it"):
            check_file(model, tmp_path / "m.onnx", x)
    else:
        plain, default, slow = check_file(model, tmp_path / "m.onnx", x)
        assert (default.refusal, default.values) == ("no kernel for it", 0)
        assert plain.values == slow.values > 0


def test_images_are_compared_in_batches_and_counted_once(tmp_path, monkeypatch) -> None:
    model, x = frozen(Plain), images(Plain, 10)
    export.to_qonnx(model, tmp_path / "m.onnx")
    whole = check_file(model, tmp_path / "m.onnx", x)
    sizes, forward = [], type(model).forward
    monkeypatch.setattr("crq.export.check.BATCH", 4)
    monkeypatch.setattr("crq.export.check.FEW", 3)
    monkeypatch.setattr(type(model), "forward", lambda self, part: sizes.append(len(part)) or forward(self, part))
    first, second, slow = check_file(model, tmp_path / "m.onnx", x)
    assert [first, second] == whole[:2]
    assert (slow.runtime, slow.images, slow.values, slow.different) == ("qonnx", 4, 4 * whole[2].values // 10, 0)
    assert sizes == [4, 4, 2]
