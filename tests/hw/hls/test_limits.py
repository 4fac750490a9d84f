"""Layers too large to be unrolled, weights that do not fit: refused with their names and numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from crq import hw
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import Fold, units
from crq.hw.devices.catalog import Device, find
from crq.hw.errors import DoesNotFit, HwError
from crq.hw.hls.limits import check_fit, weight_rom
from crq.hw.hls.plan import Plan, make_plan
from crq.hw.ir.graph import Network
from crq.hw.report.model import build_report
from tests.support.random_graphs import GraphBuilder

DEVICE = replace(find("xc7z020"), part="tiny", bram36=2, lut=1000)


def planned(g: GraphBuilder, output: str, io_type: str = "io_stream", **folds: Fold) -> Plan:
    network = Network(g.finish(output))
    default = {u.name: Fold(1, 1) for u in units(network)}
    return make_plan(network, io_type, {**default, **folds})


def dense(inputs: int, outputs: int, weight_type: str = "TERNARY", io_type: str = "io_stream", **folds: Fold) -> Plan:
    g = GraphBuilder((inputs,), "UINT4")
    return planned(g, g.matmul("x", outputs, weight_type), io_type, **folds)


@pytest.mark.parametrize(
    ("weight_type", "fold", "halves"),
    [
        ("TERNARY", Fold(1, 1), 2),  # 16,384 words of 2 bits: one block
        ("TERNARY", Fold(8, 8), 4),  # 256 words of 128 bits: columns of 36
        ("INT8", Fold(4, 1), 8),  # 4,096 words of 32 bits
        ("INT8", Fold(16, 16), 57),  # 64 words of 2,048 bits: columns of 36
    ],
)
def test_a_weight_rom_holds_the_bits_that_the_firmware_packs(weight_type: str, fold: Fold, halves: int) -> None:
    [process] = dense(64, 256, weight_type, fc1=fold).processes
    assert weight_rom(process) == Resources(bram18=halves)


def test_unrolled_weights_are_no_memory() -> None:
    assert weight_rom(dense(64, 256, fc1=Fold(256, 64)).processes[0]) == Resources()


def test_small_roms_are_luts_and_every_content_is_stored_once() -> None:
    """Two words of 2 x 2 ternary codes: columns of bits that differ between the words; 10 and 01 stand for all, and are
    the one bit of the address or its complement."""
    g = GraphBuilder((2,), "UINT4")
    weights = np.array([[1, 0, 0, 1], [1, 1, 0, 1]])  # (inputs, outputs)
    [process] = planned(g, g.matmul("x", 4, weights=weights), fc1=Fold(2, 2)).processes
    # Outputs 0 and 1 give the first word (1, 1, 0, 1), 2 and 3 the second (0, 0, 1, 1): low bits 10, 10, 01, 11.
    assert weight_rom(process) == Resources(logic=0, ff=2)


def test_a_rom_goes_where_the_folding_puts_it() -> None:
    [small] = dense(4, 4, fc1=Fold(1, 1, "bram")).processes
    assert weight_rom(small).bram18 == 1
    [large] = dense(64, 256, fc1=Fold(1, 1, "lut")).processes
    assert weight_rom(large).bram18 == 0
    assert weight_rom(large).lut > 0


def test_weights_that_fit_pass() -> None:
    check_fit(dense(64, 256), DEVICE)  # one of two blocks
    check_fit(dense(128, 256), DEVICE)  # both


def test_weights_beyond_the_blocks_are_refused_with_the_largest_layers() -> None:
    """32,768 and 65,536 bits in blocks, 768 in LUTs."""
    g = GraphBuilder((64,), "UINT4")
    h = g.threshold(g.matmul("x", 256), 2)
    h = g.threshold(g.matmul(h, 128), 2)
    plan = planned(g, g.matmul(h, 3))
    message = r"the weights need 3 BRAM36 and [\d,]+ LUTs as they are folded"
    with pytest.raises(HwError, match=message) as refused:
        check_fit(plan, DEVICE)
    text = str(refused.value)
    assert "tiny has 2 BRAM36 and, with half of its LUTs left to compute, 500 LUTs" in text
    assert text.index("'fc3' (2 BRAM36)") < text.index("'fc1' (1 BRAM36)")
    assert "--rom LAYER=lut or LAYER=bram" in text
    assert "--no-fit-check (fit_check=False)" in text


def test_constants_are_not_among_the_largest() -> None:
    """The second layer is unrolled, so that none of its weights is stored."""
    g = GraphBuilder((64,), "UINT4")
    plan = planned(g, g.matmul(g.threshold(g.matmul("x", 256), 2), 8), fc3=Fold(8, 256))
    with pytest.raises(DoesNotFit, match=r"largest layers are 'fc1' \(1 BRAM36\)\. Choose"):
        check_fit(plan, replace(DEVICE, bram36=0))


def test_a_rate_that_is_too_high_names_the_one_that_fits(tmp_path) -> None:
    """Every layer folds as wide as its rate asks: 60 rows of block RAM in an xc7z010."""
    g = GraphBuilder((600,), "UINT2")
    h = g.matmul("x", 64)
    for _ in range(2):
        h = g.matmul(g.threshold(h, 3), 64)
    model = g.finish(h)
    with pytest.raises(DoesNotFit, match="the weights need") as refused:
        hw.build(model, tmp_path / "p", part="xc7z010", target_fps=13_333_333)
    assert refused.value.exit_code == 5
    [told] = re.findall(r"\. Take --best-fit, which gives ([\d,]+) frames/s, choose a larger", str(refused.value))
    project = hw.build(model, tmp_path / "q", part="xc7z010", best_fit=True)
    assert int(told.replace(",", "")) == int(project.report().to_dict()["summary"]["frames_per_second"])
    assert hw.build(model, tmp_path / "r", part="xc7z010", target_fps=int(told.replace(",", ""))).folds


def test_weights_in_luts_may_take_half_of_them() -> None:
    plan = dense(64, 256, fc1=Fold(1, 1, "lut"))
    need = int(weight_rom(plan.processes[0]).rounded().lut)

    def with_luts(count: int) -> Device:
        return replace(DEVICE, lut=count)

    check_fit(plan, with_luts(2 * need + 2))
    with pytest.raises(HwError, match=rf"need {need:,} LUTs as they are folded.*'fc1' \({need:,} LUTs\)"):
        check_fit(plan, with_luts(2 * need - 2))


def test_unrolled_projects_have_no_weight_memory() -> None:
    check_fit(dense(64, 256, io_type="io_parallel", fc1=Fold(256, 64)), replace(DEVICE, bram36=0, lut=1))


def test_a_build_refuses_what_does_not_fit_unless_told_otherwise(tmp_path) -> None:
    g = GraphBuilder((256, 4, 4), "UINT4")
    h = g.threshold(g.conv("x", 448), 2)
    large = g.finish(g.conv(h, 64, (2, 2)))
    with pytest.raises(HwError, match=r"weights need \d\d.* BRAM36 as.*has 50 BRAM36.*10,400 LUTs.*'conv1' \(\d\d"):
        hw.build(large, tmp_path / "p", part="xc7a35t")
    assert not (tmp_path / "p").exists()
    assert hw.build(large, tmp_path / "q", part="xc7a35t", fit_check=False).folds


def test_ultraram_is_no_room_for_weights() -> None:
    g = GraphBuilder((512, 3, 3), "UINT4")
    plan = planned(g, g.conv("x", 800), conv1=Fold(4, 9))  # 7.4 Mbit: more than a KV260's block RAM alone
    with pytest.raises(HwError, match=r"weights need 2\d\d BRAM36.*has 144 BRAM36"):
        check_fit(plan, find("KV260"))


def test_line_buffers_are_no_reason_to_refuse() -> None:
    g = GraphBuilder((64, 4, 3000), "UINT8")
    plan = planned(g, g.conv("x", 8), conv1=Fold(8, 64))
    check_fit(plan, find("lfe5u-25f"))
    report = build_report(plan.network, {"conv1": Fold(8, 64)}, "lfe5u-25f", 5.0).to_dict()
    assert report["summary"]["bram36"] > find("lfe5u-25f").bram36
