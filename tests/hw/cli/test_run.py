"""`crq run`: what it refuses before it trains, and how it stops."""

import signal
import sys
from importlib.metadata import PackageNotFoundError

import pytest
from click.testing import CliRunner

from crq.cli import main
from crq.hw.cli.run import run
from crq.train import fit, recipe
from tests.support.recipes import Signal, values


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"act_bits": "float"}, "act_bits"), ({"skip": ["first"]}, "skip"), ({"method": "ttq"}, "method")],
)  # fmt: skip
def test_what_cannot_be_exported_is_refused(tmp_path, changes: dict, key: str) -> None:
    recipe.parse(values(ternary=changes)).save(tmp_path / "r.toml")
    result = CliRunner().invoke(main, ["run", str(tmp_path / "r.toml"), "-o", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert f"(ternary.{key}" in result.stderr
    assert "crq train" in result.stderr
    assert not (tmp_path / "run").exists()


def test_without_a_recipe_it_is_the_only_one_here(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    taken = []
    monkeypatch.setattr("crq.hw.cli.run.changed_recipe", lambda name, *_, **__: taken.append(name) or sys.exit(0))
    assert "digits, as there is none here" in CliRunner().invoke(run, []).stderr
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    recipe.parse(values()).save(tmp_path / "mine.toml")
    assert "no recipe named: mine.toml" in CliRunner().invoke(run, []).stderr
    assert taken == ["digits", "mine.toml"]
    recipe.parse(values()).save(tmp_path / "other.toml")
    result = CliRunner().invoke(run, [])
    assert result.exit_code == 2
    assert "name one of mine.toml, other.toml" in result.stderr
    assert taken == ["digits", "mine.toml"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_its_number(tmp_path, monkeypatch, number: signal.Signals) -> None:
    monkeypatch.setattr(fit, "PhaseProgress", lambda recorder, console: Signal(number))
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    recipe.parse(values()).save(tmp_path / "r.toml")
    result = CliRunner().invoke(run, [str(tmp_path / "r.toml"), "-o", str(tmp_path / "run")])
    assert result.exit_code == 128 + number
    assert "Stopped: the same command continues from its last checkpoint." in result.stderr
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board", "ulx3s-25f", "--part", "KV260"], "give one; a board sets its part"),
        (["--board", "ulx3s-25f", "--target", "hls"], "bitstreams are made of --target rtl"),
        (["--board", "ulx4s"], "did you mean ULX3S"),
        (["--board", "vcu118"], "needs its vendor's tools"),
    ],
)
def test_boards_that_cannot_be(tmp_path, arguments: list[str], message: str) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    result = CliRunner().invoke(main, ["run", str(tmp_path / "r.toml"), "-o", str(tmp_path / "run"), *arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "run").exists()


def test_a_board_without_its_tools_is_told_before_the_training(tmp_path, monkeypatch) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    monkeypatch.setattr(
        "crq.hw.rtl.bitstream.tools.version", lambda package: (_ for _ in ()).throw(PackageNotFoundError())
    )
    arguments = [str(tmp_path / "r.toml"), "-o", str(tmp_path / "run"), "--board", "ulx3s-25f"]
    result = CliRunner().invoke(main, ["run", *arguments])
    assert result.exit_code == 3
    assert "pip install" in result.stderr
    assert not (tmp_path / "run").exists()


def test_wrong_paths(tmp_path) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    for output in (tmp_path / "r.toml" / "x", tmp_path / ("a" * 300), "/proc/x"):
        result = CliRunner().invoke(main, ["run", str(tmp_path / "r.toml"), "-o", str(output)])
        assert (result.exit_code, str(output) in result.stderr) == (2, True), result.output
    arguments = ["run", "digits", "-o", str(tmp_path / "run"), "--data-root", "/nope"]
    assert "digits come with scikit-learn" in CliRunner().invoke(main, arguments).stderr
    assert not (tmp_path / "run").exists()
