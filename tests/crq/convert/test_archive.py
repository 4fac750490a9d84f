"""frozen.pt: equal bytes for equal models in any process and folder; forged and foreign files are refused by name."""

import copy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from crq.convert import archive
from crq.convert.frozen import FrozenModel
from crq.errors import CrqError
from tests.support.nets import Plain, Residual, frozen

ROOT = Path(__file__).parents[3]


def state_of(model: FrozenModel, folder: Path) -> dict:
    model.save(folder / "whole.pt")
    return archive.read(folder / "whole.pt")


def refused(path: Path, state) -> str:
    """The message for a file that holds `state`."""
    torch.save(state, path)
    with pytest.raises(CrqError) as caught:
        FrozenModel.load(path)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert len(message) < 300
    return message


@pytest.mark.parametrize("network", [pytest.param("Plain", marks=pytest.mark.slow), "Branches"])
def test_bytes_are_equal_in_two_processes_and_folders(tmp_path, network: str) -> None:
    script = (
        "import sys; from tests.support.nets import NETWORKS, frozen; model = frozen(NETWORKS[sys.argv[1]]); "
        "model.metadata = dict(sys.argv[3:][i:i + 2] for i in (0, 2)); model.save(sys.argv[2])"
    )
    files = [tmp_path / "a.pt", tmp_path / "deep" / "folder" / "another_name.pt"]
    for file, words in zip(files, (["b", "2", "a", "1"], ["a", "1", "b", "2"]), strict=True):
        subprocess.run([sys.executable, "-c", script, network, file, *words], cwd=ROOT, check=True)
    assert files[0].read_bytes() == files[1].read_bytes()
    again = FrozenModel.load(files[0])
    again.save(tmp_path / "again.pt")
    copy.deepcopy(again).save(tmp_path / "copied.pt")
    assert (tmp_path / "again.pt").read_bytes() == files[0].read_bytes() == (tmp_path / "copied.pt").read_bytes()


def test_bytes_depend_on_values_alone() -> None:
    name = "".join(["co", "des"])  # an equal text that is another object
    a = {"x": ["codes", "codes"], "t": torch.arange(6).reshape(2, 3).T}
    b = {"x": ["codes", name], "t": torch.arange(6).reshape(2, 3).T.contiguous()}
    assert archive.to_bytes(a) == archive.to_bytes(b) != archive.to_bytes({**b, "x": ["codes", "code"]})


def _steps(state: dict, op: str) -> dict:
    return next(step for step in state["steps"] if step["op"] == op)


FORGERIES = {
    "no input": lambda s: s.pop("input"),
    "no steps": lambda s: s.update(steps=[]),
    "steps of another kind": lambda s: s.update(steps={"a": 1}),
    "no hash": lambda s: s.pop("hash"),
    "metadata": lambda s: s.update(metadata={"a": 1}),
    "shape": lambda s: s["input"].update(shape=[1, -8, 8]),
    "huge image": lambda s: s["input"].update(shape=[1, 1 << 20, 1 << 20]),
    "scale": lambda s: s["input"].update(scale=0.3),
    "another field": lambda s: s["input"].update(more=1),
    "unknown operation": lambda s: s["steps"][0].update(op="Exec"),
    "name twice": lambda s: s["steps"][1].update(name=s["steps"][0]["name"]),
    "no name": lambda s: s["steps"][1].pop("name"),
    "bad name": lambda s: (s["steps"][0].update(name="a.b"), s["steps"][1].update(inputs=["a.b"])),
    "circle": lambda s: s["steps"][0].update(inputs=[s["steps"][1]["name"]]),
    "itself": lambda s: s["steps"][1].update(inputs=[s["steps"][1]["name"]]),
    "two inputs": lambda s: s["steps"][1].update(inputs=["input", "input"]),
    "no tensors": lambda s: s["steps"][0].update(tensors={}),
    "list of tensors": lambda s: s["steps"][0].update(tensors=[1]),
    "no params": lambda s: s["steps"][0].pop("params"),
    "more params": lambda s: s["steps"][0]["params"].update(more=1),
    "zero stride": lambda s: s["steps"][0]["params"].update(stride=[0, 0]),
    "huge padding": lambda s: s["steps"][0]["params"].update(padding=[[1 << 40, 0], [0, 0]]),
    "wide padding": lambda s: s["steps"][0]["params"].update(padding=[[1 << 16, 0], [1 << 16, 0]]),
    "no groups": lambda s: s["steps"][0]["params"].update(groups=0),
    "text for a number": lambda s: s["steps"][0]["params"].update(max_input="255"),
    "infinite scale": lambda s: _steps(s, "Threshold")["params"].update(scale=float("inf")),
    "other codes": lambda s: _steps(s, "Threshold")["params"].update(qmax=99),
    "shape of codes": lambda s: s["steps"][0]["tensors"].update(codes=torch.zeros(6, 3, 3, dtype=torch.int8)),
    "rank of codes": lambda s: s["steps"][0]["tensors"].update(codes=torch.zeros(6, dtype=torch.int8)),
    "float codes": lambda s: s["steps"][0]["tensors"].update(codes=torch.zeros(6, 1, 3, 3)),
    "no tensor": lambda s: s["steps"][0]["tensors"].update(codes=[1, 2]),
    "sparse": lambda s: s["steps"][0]["tensors"].update(codes=torch.zeros(6, 1, 3, 3, dtype=torch.int8).to_sparse()),
    "huge by stride": lambda s: s["steps"][0]["tensors"].update(
        codes=torch.zeros(1, dtype=torch.int8).expand(1 << 20, 1, 1 << 10, 1 << 10)
    ),
    "huge and empty": lambda s: _steps(s, "Threshold")["tensors"].update(
        table=torch.zeros(1, dtype=torch.int64).expand(6, 1 << 40)
    ),
    "on meta": lambda s: s["steps"][0]["tensors"].update(
        codes=torch.empty(1 << 30, 1, 30, 30, dtype=torch.int8, device="meta")
    ),
    "no output": lambda s: s["steps"].pop(),
    "two outputs": lambda s: s["steps"].append({**s["steps"][-1], "name": "again", "inputs": ["output"]}),
    "changed bias": lambda s: _steps(s, "Output")["tensors"].update(bias=torch.ones(5, dtype=torch.int64) * 7),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_forged_files_are_damaged_and_named(tmp_path, case: str) -> None:
    state = state_of(frozen(Plain), tmp_path)
    FORGERIES[case](state)
    message = refused(tmp_path / "forged.pt", state)
    assert "damaged frozen model" in message or "does not match its hash" in message


def test_a_sum_of_unequal_shapes_is_named(tmp_path) -> None:
    state = state_of(frozen(Residual), tmp_path)
    _steps(state, "Add")["inputs"][1] = "input"
    assert "it adds" in refused(tmp_path / "forged.pt", state)


def test_other_files_are_told_what_they_are(tmp_path) -> None:
    path = tmp_path / "x.pt"
    for state, kind in (
        ({"network": {}, "rows": []}, "a checkpoint of training"),
        (nn.Linear(2, 2).state_dict(), "a state_dict of weights"),
        (torch.zeros(3), "a torch file that holds a Tensor"),
        ({}, "a torch file that holds a dict"),
        (nn.Linear(2, 2), "a torch file with Python objects"),
    ):
        assert f"x.pt: not a frozen crq model but {kind}" in refused(path, state)
    for content, kind in (
        (b"", "an empty file"),
        (b"hello", "text"),
        (b"\x80\x04.", "a pickle"),
        (b"\0\1", "no torch"),
    ):
        path.write_bytes(content)
        with pytest.raises(CrqError, match=f"not a frozen crq model but {kind}"):
            FrozenModel.load(path)
    (tmp_path / "a.onnx").write_bytes(b"\x08\x08")
    with pytest.raises(CrqError, match=r"a\.onnx: not a frozen crq model but an ONNX file; expected"):
        FrozenModel.load(tmp_path / "a.onnx")
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a.txt", "x")
    with pytest.raises(CrqError, match="an archive of something else"):
        FrozenModel.load(path)


def test_archives_that_would_grow_are_refused(tmp_path) -> None:
    frozen(Plain).save(tmp_path / "a.pt")
    with (
        zipfile.ZipFile(tmp_path / "a.pt") as old,
        zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    with pytest.raises(CrqError, match="a compressed archive"):
        FrozenModel.load(tmp_path / "b.pt")


def test_a_cut_file_is_damaged(tmp_path) -> None:
    frozen(Plain).save(tmp_path / "a.pt")
    whole = (tmp_path / "a.pt").read_bytes()
    for end in (10, len(whole) // 2, len(whole) - 30):
        (tmp_path / "a.pt").write_bytes(whole[:end])
        with pytest.raises(CrqError, match=r"a\.pt: not a frozen crq model"):
            FrozenModel.load(tmp_path / "a.pt")


def test_another_version_is_named(tmp_path) -> None:
    state = state_of(frozen(Plain), tmp_path)
    assert "version 9; this crq reads 'crq.frozen' version 1" in refused(tmp_path / "a.pt", {**state, "version": 9})
