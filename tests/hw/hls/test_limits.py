"""What is refused as too large: layers for io_parallel, and weights for the part's memory, each with its numbers."""

from __future__ import annotations

import pytest

import hw
from hw.devices.catalog import find
from hw.hls.plan import make_plan
from hw.report.model import build_report
from tests.support.random_graphs import GraphBuilder, resnet


def test_io_parallel_refuses_large_layers_by_name(tmp_path):
    with pytest.raises(hw.HwError, match=r"layer 'conv1'.*io_parallel unrolls at most.*io_stream"):
        hw.build(resnet(1), tmp_path / "p", io_type="io_parallel")


def test_weights_that_do_not_fit_are_refused_with_the_numbers(tmp_path):
    g = GraphBuilder((256, 4, 4), "UINT4")
    h = g.threshold(g.conv("x", 384), 2)
    large = g.finish(g.conv(h, 64, (2, 2)))
    numbers = r"weights need 5\d.* BRAM36 as.*has 28 BRAM36.*12,144 LUTs.*'conv1' \(4\d.* BRAM36\).*fit-check"
    with pytest.raises(hw.HwError, match=numbers):
        hw.build(large, tmp_path / "p", part="lfe5u-25f")
    assert hw.build(large, tmp_path / "q", part="lfe5u-25f", fit_check=False).folds
    in_luts = {"conv1": hw.Fold(1, 9, "lut"), "conv3": hw.Fold(1, 4)}
    with pytest.raises(hw.HwError, match=r"weights need 6 BRAM36 and 4.* LUTs.*--rom LAYER=lut or LAYER=bram"):
        fit(large, "lfe5u-25f", in_luts)


def fit(graph, part: str, folds: dict[str, hw.Fold]) -> None:
    from hw.hls.limits import check_fit

    check_fit(make_plan(hw.Network(graph), "io_stream", folds), find(part))


def test_ultraram_is_no_room_for_weights():
    g = GraphBuilder((512, 3, 3), "UINT4")
    graph = g.finish(g.conv("x", 800))  # 7.4 Mbit: more than the block RAM of a KV260, less than its UltraRAM
    with pytest.raises(hw.HwError, match=r"weights need 2\d\d BRAM36.*has 144 BRAM36"):
        fit(graph, "KV260", {"conv1": hw.Fold(4, 9)})


def test_line_buffers_are_no_reason_to_refuse():
    g = GraphBuilder((64, 4, 3000), "UINT8")
    graph = g.finish(g.conv("x", 8))
    folds = {"conv1": hw.Fold(8, 64)}
    fit(graph, "lfe5u-25f", folds)
    memory = build_report(hw.Network(graph), folds, "lfe5u-25f", 5.0).to_dict()["summary"]["bram36"]
    assert memory > find("lfe5u-25f").bram36


def test_integer_weights_take_the_bits_that_the_firmware_packs():
    from hw.hls.limits import weight_rom

    g = GraphBuilder((64,), "UINT8")
    graph = g.finish(g.matmul("x", 256, "INT8"))
    plan = make_plan(hw.Network(graph), "io_stream", {"fc1": hw.Fold(4, 1)})
    assert weight_rom(plan.processes[0]).bram18 == 8  # 4,096 words of 32 bits
