"""The folding of a project in the terminal: what was chosen per layer, and what the whole takes of the part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.table import Table

from crq import hw
from crq.hw.devices.catalog import find
from crq.hw.report.folding import filling_told, folding_table
from tests.support.random_graphs import GraphBuilder, resnet, small_cnn


def rows(table: Table) -> dict[str, list[str]]:
    columns = [list(column.cells) for column in table.columns]
    return {str(row[0]): [str(cell) for cell in row[1:]] for row in zip(*columns, strict=True)}


def test_every_unit_has_its_folding_cycles_and_reason(tmp_path: Path) -> None:
    project = hw.build(small_cnn(), tmp_path / "p", folding={"conv4": (1, 6, "parallel")}, target_fps=1000)
    table = folding_table(project)
    found = rows(table)
    assert list(found) == list(project.folds)
    for name, fold in project.folds.items():
        assert found[name][0] == (fold.form if name.startswith(("conv", "pool", "fc")) else "")
        assert found[name][1] == f"{fold.pe} × {fold.simd}"
        assert found[name][4] == project.manifest.why[name]
    # Six channels one by one, 36 products six at a time, on 16 pixels; padding passes 20 more of 6 × 6.
    assert found["conv4"][2] == f"{16 * 6 * 6 + 20}"


def test_weights_lie_in_logic_luts_or_block_ram(tmp_path: Path) -> None:
    g = GraphBuilder((8, 4, 4), "UINT4", seed=1)
    x = g.threshold(g.conv("x", 8, (1, 1)), 2)
    model = g.finish(g.conv(g.threshold(g.conv(x, 8, (1, 1)), 2), 8, (1, 1)))
    folding = {"conv1": (8, 8, "parallel"), "conv3": (1, 1), "conv5": (8, 8, "folded")}
    project = hw.build(model, tmp_path / "p", folding=folding, weight_rom={"conv5": "bram"})
    found = rows(folding_table(project))
    assert {name: row[3] for name, row in found.items()} == {"conv1": "logic", "conv3": "LUTs", "conv5": "block RAM"}


def test_units_without_weights_have_no_place_for_them(tmp_path: Path) -> None:
    found = rows(folding_table(hw.build(small_cnn(), tmp_path / "p")))
    assert {name: row[3] for name, row in found.items() if name in ("pool3", "bias8")} == {"pool3": "", "bias8": ""}


def test_an_unrolled_design_takes_no_cycles_and_has_no_memories(tmp_path: Path) -> None:
    project = hw.build(small_cnn(), tmp_path / "p", part="PYNQ-Z2", io_type="io_parallel")
    assert {(row[0], row[2], row[3]) for row in rows(folding_table(project)).values()} == {("", "", "logic")}
    assert "by the estimate of the unrolled design" in filling_told(project)


@pytest.mark.parametrize("part", ["LFE5U-25F", "KV260"])
def test_the_verdict_is_on_the_part(part: str, tmp_path: Path) -> None:
    caption = filling_told(hw.build(small_cnn(), tmp_path / "p", part=part, target="rtl"))
    assert re.search(r"is filled to (\d+%|less than 1%) by the estimate", caption)
    assert find(part).part in caption
    assert "does not fit" not in caption


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    project = hw.build(resnet(1, size=8), tmp_path / "p", part="xc7z010", target_fps=500_000, fit_check=False)
    assert re.search(r"by the estimate: it does not fit \(LUT \d+%", filling_told(project))


def test_a_narrow_table_leaves_the_reasons_to_the_readme(tmp_path: Path) -> None:
    table = folding_table(hw.build(small_cnn(), tmp_path / "p", part="PYNQ-Z2"), narrow=True)
    assert [column.header for column in table.columns][-1] == "weights in"
