"""`crq synth`: what is refused before anything is synthesised."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from crq import hw
from crq.hw.cli.synth import synth
from crq.hw.rtl import synth as yosys
from tests.support.random_graphs import small_cnn


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layers", "conv9"], r"layer 'conv9': no such unit; did you mean conv"),
        (["--family", "stratix"], "stratix"),
        (["--fold", "conv9=1,1"], "folding of 'conv9': no such unit"),
    ],
)
def test_wrong_wishes(tmp_path: Path, monkeypatch, arguments: list[str], message: str) -> None:
    monkeypatch.setattr(yosys, "tool", lambda: None)  # whether Yosys is here does not matter yet
    small_cnn().save(str(tmp_path / "m.onnx"))
    with pytest.raises(hw.HwError, match=message):
        CliRunner().invoke(synth, [str(tmp_path / "m.onnx"), *arguments], catch_exceptions=False)
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]
