"""`crq run` on data that are no images: regression from a table, an autoencoder of signals, several labels at once."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from rich.console import Console

import crq
from crq import export, hw
from crq.hw.cli.run import run
from crq.hw.cli.simulate import simulate

RNG = np.random.default_rng(2)
X = RNG.normal(size=(400, 6)) * [1, 10, 100, 0.1, 1, 1] + 3
Z = (X - X.mean(0)) / X.std(0)
RECIPE = """
name = "r"
threads = 1
{top}
[data]
name = "{name}"
{data}
[network]
name = "mlp"
options = {{ inputs = 6, hidden = [12], classes = {classes} }}
[pretrain]
epochs = 15
optimizer = "adam"
lr = 0.01
[retrain]
epochs = 2
optimizer = "adam"
lr = 0.01
[finetune]
epochs = 15
optimizer = "adam"
lr = 0.01
"""


def ran(folder: Path, name: str, classes: int, top: str, data: str = "") -> tuple[Result, dict]:
    (folder / "r.toml").write_text(RECIPE.format(name=folder / name, classes=classes, top=top, data=data))
    done = CliRunner().invoke(run, [str(folder / "r.toml"), "-o", str(folder / "run")])
    assert done.exit_code == 0, done.output
    return done, json.loads((folder / "run" / "summary.json").read_text())


def mse(folder: Path, x: np.ndarray, targets: np.ndarray) -> float:
    """Of what the project's own host.py and simulation give for values as the data have them."""
    project = hw.open_project(folder / "run" / "r_hls")
    return float(((project.simulate(x) - targets) ** 2).mean())


def test_regression_is_scored_alike_in_training_and_simulation(tmp_path: Path) -> None:
    y = Z[:, :2] @ [[1.0], [-1.0]]
    np.savez(tmp_path / "a.npz", x=X, y=y)
    text = RECIPE.format(name=tmp_path / "a.npz", classes=1, top='loss = "mse"', data="")
    (tmp_path / "r.toml").write_text(text.replace("epochs = 15", "epochs = 4"))
    summary = crq.train_recipe(tmp_path / "r.toml", tmp_path / "run", console=Console(quiet=True))
    export.to_qonnx(crq.FrozenModel.load(tmp_path / "run" / "frozen.pt"), tmp_path / "r.onnx")
    hw.build(tmp_path / "r.onnx", tmp_path / "hls")
    arguments = [str(tmp_path / "hls"), "--data", f"{tmp_path / 'r.toml'}:test", "--no-checks"]
    done = CliRunner().invoke(simulate, [*arguments, "--reference", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert "bit-exact: 80 of 80 images" in done.output
    assert f"; mse {summary['mse']['frozen']:.4g}, r2 {summary['r2']['frozen']:.4g}" in done.output


@pytest.mark.slow
def test_regression_from_a_table(tmp_path: Path) -> None:
    y = Z[:, :2] @ [[1.0], [-1.0]] + 0.5 * Z[:, 4:5]
    rows = [",".join(f"{v:.9g}" for v in row) for row in np.hstack([X, y])]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,d,e,f,price", *rows]))
    done, summary = ran(tmp_path, "t.csv", 1, 'loss = "mse"', 'label_column = "price"')
    assert summary["bit_exact"]
    assert summary["mse"]["simulated"] == pytest.approx(summary["mse"]["frozen"], rel=1e-6)
    assert summary["mse"]["frozen"] < 0.5 * y.var()
    assert "accuracy" not in done.output
    assert f"mse {summary['mse']['simulated']:.4g}, r2" in " ".join(done.output.split())
    assert (tmp_path / "run" / "report.html").read_text().count("Mse along the chain") == 1
    whole = ["--data", f"{tmp_path / 't.csv'}:all", "--data-key", "label_column=price", "--no-checks", "--json"]
    again = CliRunner().invoke(simulate, [str(tmp_path / "run" / "r_hls"), *whole])
    found = json.loads(again.stdout)["figures"]["mse"]
    values = X.astype(np.float32)
    assert found == pytest.approx(mse(tmp_path, values, y), rel=1e-4)
    project = hw.open_project(tmp_path / "run" / "r_hls")
    deploy = crq.FrozenModel.load(tmp_path / "run" / "train" / "frozen.pt")
    assert np.array_equal(project.simulate(values), deploy(torch.from_numpy(values)).numpy())
    host = runpy.run_path(str(project.directory / "host.py"))
    assert np.array_equal(host["quantize"](values).reshape(400, 6), deploy.codes(torch.from_numpy(values)).numpy())


@pytest.mark.slow
def test_an_autoencoder_of_arrays(tmp_path: Path) -> None:
    low = (RNG.normal(size=(400, 2)) @ RNG.normal(size=(2, 6)) * [1, 10, 1, 1, 1, 1]).astype(np.float32)
    np.savez(tmp_path / "a.npz", x_train=low[:300], x_test=low[300:])
    _, summary = ran(tmp_path, "a.npz", 6, 'loss = "l1"', 'target = "input"')
    assert summary["bit_exact"]
    assert summary["mae"]["simulated"] == pytest.approx(summary["mae"]["frozen"], rel=1e-6)
    arguments = [str(tmp_path / "run" / "r_hls"), "--data", f"{tmp_path / 'run'}:test", "--no-checks"]
    shown = CliRunner().invoke(simulate, arguments).output
    assert f"; mae {summary['mae']['frozen']:.4g}, r2 " in shown


@pytest.mark.slow
def test_an_autoencoder_of_signals_gives_them_in_their_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "convolutional.py").write_text(
        "from torch import nn\n\n\ndef net():\n    return nn.Sequential(nn.Conv1d(2, 6, 4, stride=2, padding=1), "
        "nn.BatchNorm1d(6), nn.ReLU(), nn.ConvTranspose1d(6, 2, 4, stride=2, padding=1))\n"
    )
    waves = np.sin(RNG.uniform(0, 6, (400, 2, 1)) + np.arange(16) / 2).astype(np.float32)
    np.savez(tmp_path / "s.npz", x_train=waves[:300], x_test=waves[300:])
    text = RECIPE.format(name=tmp_path / "s.npz", classes=0, top='loss = "mse"', data='target = "input"')
    text = text.replace('name = "mlp"', 'name = "convolutional:net"')
    text = "".join(line for line in text.splitlines(True) if not line.startswith("options"))
    (tmp_path / "r.toml").write_text(text)
    done = CliRunner().invoke(run, [str(tmp_path / "r.toml"), "-o", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["bit_exact"]
    assert summary["mse"]["simulated"] == pytest.approx(summary["mse"]["frozen"], rel=1e-6)
    again = hw.open_project(tmp_path / "run" / "r_hls").simulate(waves[300:])
    mean, spread = waves[:300].mean((0, 2)), waves[:300].std((0, 2))
    wanted = (waves[300:] - mean[:, None]) / spread[:, None]
    assert ((again - wanted) ** 2).mean() == pytest.approx(summary["mse"]["frozen"], rel=0.05)
    assert summary["mse"]["frozen"] < 0.5


@pytest.mark.slow
def test_several_labels_at_once(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", x=X, y=(Z[:, :3] > 0).astype(int))
    _, summary = ran(tmp_path, "b.npz", 3, 'loss = "bce"')
    assert summary["bit_exact"]
    assert summary["label_accuracy"]["simulated"] == summary["label_accuracy"]["frozen"] > 0.8
