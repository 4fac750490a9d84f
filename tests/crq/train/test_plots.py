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
    assert Image.open(tmp_path / "a.png").size == (1540, 396)


def test_no_epochs_is_an_empty_picture(tmp_path) -> None:
    plots.curves([], tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").format == "PNG"


def test_at_most_eight_layers_are_drawn_each_a_row_with_a_column_per_stage(tmp_path) -> None:
    torch.manual_seed(0)
    weights = {f"layer{i}": torch.randn(50) for i in range(20)}
    alphas = dict.fromkeys(weights, 0.5)
    sizes = []
    for count, titles in ((1, "ab"), (2, "ab"), (8, "abc"), (20, "abc")):
        some = dict(list(weights.items())[:count])
        plots.histograms([plots.Stage(title, some, alphas) for title in titles], tmp_path / "w.png")
        sizes.append(Image.open(tmp_path / "w.png").size)
    assert sizes == [(990, 209), (990, 418), (1430, 1672), (1430, 1672)]


def test_every_stage_has_its_own_alpha(tmp_path) -> None:
    weights = {"fc": torch.linspace(-1, 1, 40)}
    for name, alpha in (("a", 0.5), ("b", 0.5), ("c", 0.6)):
        stages = [plots.Stage("float", weights, {"fc": 0.5}), plots.Stage("after", weights, {"fc": alpha})]
        plots.histograms(stages, tmp_path / f"{name}.png")
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c


def test_the_cost_of_each_layer_is_drawn(tmp_path) -> None:
    with_layers = [row | {"layers": {"fc": {"cost": 0.1 * i}}} for i, row in enumerate(ROWS)]
    plots.curves(ROWS, tmp_path / "a.png")
    plots.curves(with_layers, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


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
