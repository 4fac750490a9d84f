"""Data in another file: read beside the file, refused anywhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from crq.hw.errors import HwError
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, base, graph_of


def saved(folder: Path, location: str = "m.data") -> Path:
    folder.mkdir(exist_ok=True)
    onnx.save_model(
        graph_of([IN, CONV, *ACT, *TAIL], base()), folder / "m.onnx", save_as_external_data=True, location=location,
        size_threshold=0,
    )  # fmt: skip
    return folder / "m.onnx"


def weights(graph) -> list[np.ndarray]:
    return [onnx.numpy_helper.to_array(t) for t in graph.graph.initializer]


def changed(file: Path, **told: str) -> Path:
    """Every tensor told otherwise where its data are."""
    proto = onnx.load(file, load_external_data=False)
    for tensor in proto.graph.initializer:
        for entry in tensor.external_data:
            entry.value = told.get(entry.key, entry.value)
    file.write_bytes(proto.SerializeToString())
    return file


def test_a_file_and_its_data_are_one_file(tmp_path: Path) -> None:
    found = read_qonnx(saved(tmp_path / "a"))
    expected = read_qonnx(graph_of([IN, CONV, *ACT, *TAIL], base()))
    assert all(np.array_equal(a, b) for a, b in zip(weights(found), weights(expected), strict=True))
    assert (tmp_path / "a" / "m.data").is_file()


def test_no_other_folder_is_read(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_bytes(bytes(4096))
    file = saved(tmp_path / "a")
    for location in ("../secret", str(outside), "", "sub/../../secret"):
        with pytest.raises(
            HwError, match=r"initializer '\w+' *: keeps its data in .*not in the file's folder.*\[external\]"
        ):
            read_qonnx(changed(saved(tmp_path / "a"), location=location))
    (file.parent / "link").symlink_to(outside)
    with pytest.raises(HwError, match=r"'link', which is not in the file's folder"):
        read_qonnx(changed(saved(tmp_path / "a"), location="link"))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"location": "gone"}, "'gone', which is not there"),
        ({"offset": "999999"}, "from 999,999 on"),
        ({"offset": "-4"}, "from -4 on"),
        ({"length": "3"}, "is to have 3"),
        ({"offset": "many"}, "says of its data"),
    ],
)
def test_data_that_are_not_as_told_are_refused(told: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(HwError, match=rf"{message}.*\[external\]"):
        read_qonnx(changed(saved(tmp_path / "a"), **told))
