"""The plot of area against throughput: complete files of the formats it has, and what stands in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.hw.cost.network import estimate
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError
from crq.hw.fold.pareto import pareto
from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.pareto import plot
from tests.support.random_graphs import GraphBuilder


@pytest.fixture(scope="module")
def drawn():
    g = GraphBuilder((1, 5, 5), "UINT4", seed=3)
    network = Network(g.finish(g.matmul(g.flatten(g.threshold(g.conv("x", 2), 2)), 3)))
    chosen = estimate(network, choose(network))
    points = pareto(network, "xcup")

    def draw(path: Path, part: str = "KV260") -> Path:
        return plot("net <1>", points, chosen, find(part), 5.0, path)

    return draw


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".PDF", b"%PDF"), (".svg", b"<?xml")])
def test_the_suffix_is_the_format(drawn, suffix: str, start: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"plot{suffix}"
    assert drawn(path) == path
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_other_formats_are_refused_before_anything_is_written(drawn, tmp_path: Path) -> None:
    for name in ("plot.txt", "plot"):
        with pytest.raises(HwError, match=rf"plot .*{name}: expected a name that ends in .png, .svg, .pdf"):
            drawn(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_it_shows_the_part(drawn, tmp_path: Path) -> None:
    texts = {part: drawn(tmp_path / f"{part}.svg", part).read_text() for part in ("KV260", "LFE5U-25F")}
    for part, text in texts.items():
        for said in ("area against throughput", "LUTs, estimated", "frames/s at 5 ns", "best foldings", "chosen"):
            assert f"{said} -->" in text
        device = find(part)
        assert f"{device.part}: {device.lut:,} LUTs" in text
        assert "70% of it" in text
