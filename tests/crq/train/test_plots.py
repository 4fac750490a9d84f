"""Pictures of a run: PNG files whose bytes depend on the run alone."""

import torch
from PIL import Image

from crq.train import plots

ROWS = [
    {"phase": phase, "loss": 2.0 / (epoch + 1), "accuracy": 0.5 + 0.1 * epoch, "validation": held_out}
    for phase, held_out in (("pretrain", 0.4), ("finetune", None))
    for epoch in range(3)
]


def test_curves_are_a_function_of_the_rows(tmp_path) -> None:
    plots.curves(ROWS, tmp_path / "a.png")
    plots.curves(ROWS, tmp_path / "b.png")
    plots.curves(ROWS[:-1], tmp_path / "c.png")
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c
    assert Image.open(tmp_path / "a.png").size == (1100, 396)


def test_no_epochs_is_an_empty_picture(tmp_path) -> None:
    plots.curves([], tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").format == "PNG"


def test_at_most_eight_layers_are_drawn_each_a_row(tmp_path) -> None:
    torch.manual_seed(0)
    weights = {f"layer{i}": torch.randn(50) for i in range(20)}
    alphas = dict.fromkeys(weights, 0.5)
    heights = []
    for count in (1, 2, 8, 20):
        some = dict(list(weights.items())[:count])
        plots.histograms(some, some, alphas, tmp_path / "w.png")
        heights.append(Image.open(tmp_path / "w.png").height)
    assert heights == [209, 418, 1672, 1672]


def test_a_trade_is_a_function_of_the_figures(tmp_path) -> None:
    exported = {"candidate": "ste", "test": 0.9, "spread": 0.01, "lut_folded": 900, "lut_fast": 5000}
    trained = {"candidate": "ttq", "test": 0.8, "spread": None, "lut_folded": None, "lut_fast": None}
    for name, candidates in {"a": [exported, trained], "b": [exported, trained], "c": [exported]}.items():
        plots.trade(candidates, tmp_path / f"{name}.png")
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c


def test_a_trade_says_what_its_axes_are(tmp_path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(plots, "_save", lambda figure, target: drawn.append(figure))
    one = {"candidate": "ste", "test": 0.9, "spread": 0.01, "lut_folded": 900, "lut_fast": 5000}
    plots.trade([one], tmp_path / "a.png", folded="folded for 1,000/s", where=" for xcvu13p")
    plots.trade([one], tmp_path / "a.png", "mse")
    shares, errors = (figure.axes[0] for figure in drawn)
    assert shares.get_ylabel() == "accuracy, %"
    assert shares.get_xlabel() == "LUTs, estimated for xcvu13p: ● folded for 1,000/s, ▲ as fast as fits"
    assert {float(y) for line in shares.lines for y in line.get_ydata()} >= {90.0}
    assert errors.get_ylabel() == "mse"
    assert max(float(y) for line in errors.lines for y in line.get_ydata()) < 1
