"""`crq train` as a user meets it."""

import json
import signal

import pytest
from click.testing import CliRunner

from crq.cli import main
from crq.cli.train import train
from crq.train import fit, recipe
from tests.support.recipes import Signal, values


def test_a_recipe_is_trained_into_an_empty_folder(tmp_path) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    arguments = [str(tmp_path / "r.toml"), "-o", str(tmp_path / "run")]
    result = CliRunner().invoke(train, [*arguments, "--steps", "2", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["method"] == "crq"
    whole = CliRunner().invoke(main, ["train", *arguments, "--epochs", "3"])  # takes the folder of the trial
    assert whole.exit_code == 0, whole.output
    again = CliRunner().invoke(main, ["train", *arguments])
    assert again.exit_code == 2
    assert "is not empty" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_trial_says_that_it_is_one(tmp_path) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    command = [str(tmp_path / "r.toml"), "-o", str(tmp_path / "run"), "--epochs", "5", "--seed", "3"]
    result = CliRunner().invoke(train, [*command, "--steps", "2"])
    assert result.stdout.splitlines() == [
        "Trial of 2 steps per phase: network and data fit together; its accuracies mean nothing",
        f"Run folder: {tmp_path}/run",
        f"next: crq train {' '.join(command)}, which sets this trial aside",
    ]
    assert not any(f"{stage} " in result.stderr for stage in ("float", "quantized", "frozen"))


def test_the_summary_is_printed_and_nothing_else_goes_to_standard_output(tmp_path) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    arguments = [str(tmp_path / "r.toml"), "-o", str(tmp_path / "run"), "--epochs", "3"]
    result = CliRunner().invoke(train, arguments)
    assert result.stdout.splitlines()[0] == "toy (crq), 359 test samples"
    assert max(map(len, result.stdout.splitlines()[:-2])) <= 80
    run = tmp_path / "run"
    assert result.stdout.splitlines()[-2:] == [f"Run folder: {run}", f"next: crq export {run} -o toy.onnx"]
    assert CliRunner().invoke(main, ["export", str(run), "-o", str(tmp_path / "toy.onnx")]).exit_code == 0
    assert [name for name in ("conv1", "conv2", "fc") if f"│ {name}" in result.stdout] == ["conv1", "conv2", "fc"]
    assert "pretrain" in result.stderr
    assert "pretrain" not in result.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_its_number(tmp_path, monkeypatch, number: signal.Signals) -> None:
    monkeypatch.setattr(fit, "PhaseProgress", lambda recorder, console: Signal(number))
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    recipe.parse(values()).save(tmp_path / "r.toml")
    result = CliRunner().invoke(train, [str(tmp_path / "r.toml"), "-o", str(tmp_path / "run")])
    assert result.exit_code == 128 + number
    assert "Stopped: the same command with --resume continues from its last checkpoint." in result.stderr
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_wrong_paths(tmp_path) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    for output in (tmp_path / "r.toml" / "x", tmp_path / ("a" * 300), "/proc/x"):
        result = CliRunner().invoke(main, ["train", str(tmp_path / "r.toml"), "-o", str(output)])
        assert (result.exit_code, str(output) in result.stderr) == (2, True), result.output
    arguments = ["train", "digits", "-o", str(tmp_path / "run"), "--data-root", "/nope"]
    assert "digits come with scikit-learn" in CliRunner().invoke(main, arguments).stderr
    assert not (tmp_path / "run").exists()
