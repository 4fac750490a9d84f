"""README.md of a project, and host.py, which is executed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crq.hw.dataflow.units import Fold, units
from crq.hw.forms.host import host_py
from crq.hw.forms.manifest import Manifest
from crq.hw.hls.plan import Plan, make_plan
from crq.hw.hls.readme import readme_md
from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_codes
from crq.hw.read.origin import load_graph
from tests.support.legal_files import LEGAL
from tests.support.random_graphs import GraphBuilder


def two_layers(io_type: str = "io_stream", weight_type: str = "TERNARY", channels: int = 2) -> Plan:
    g = GraphBuilder((channels, 4, 3), "INT4", seed=1)
    h = g.threshold(g.conv("x", 4, (1, 1), weight_type=weight_type), 3)
    g.nodes[0].name = "stem.conv"
    network = Network(g.finish(g.matmul(g.flatten(h), 5), input_scale=0.125))
    folds = {u.name: Fold(1, 1) if io_type == "io_stream" else Fold(u.output.shape.c, u.fan_in) for u in units(network)}
    return make_plan(network, io_type, folds, "net")


def manifest_of(plan: Plan, **changes: Any) -> Manifest:
    facts: dict[str, Any] = {
        "project": "net", "target": "hls", "source": {"name": "m.onnx", "sha256": "00ff"}, "part": "xc7z020",
        "board": None, "clock_period": 2.5,
        "io_type": plan.io_type, "folding": {}, "goal": "10 images per second",
        "why": {p.unit.name: f"why {p.unit.name}" for p in plan.processes if p.unit}, "layers": {}, "wanted": {},
        "tops": {"network": "net"}, "inputs": [{}], "results": [{}],
        "testbench": {"images": 32, "given": 0, "sha256": ""}, "versions": {"crq": "0.1.0"}, "files": {},
    }  # fmt: skip
    return Manifest(**{**facts, **changes})


def test_the_table_has_a_row_per_unit() -> None:
    plan = two_layers()
    text = readme_md(plan, "net", manifest_of(plan))
    rows = [line for line in text.splitlines() if line.startswith(("| `stem", "| `fc4"))]
    # 12 pixels of 4 x 2 steps; 11 pixels, each joined of 4 beats, then 48 x 5 steps in place of the last.
    assert rows == [
        "| `stem.conv` (function `stem_conv`) | Conv | 4×3×4 | 8 TERNARY | 1 × 1 | 96 | why stem.conv |",
        "| `fc4` | Dense | 1×1×5 | 240 TERNARY | 1 × 1 | 284 | why fc4 |",
    ]
    assert "An image every 284 cycles, those of `fc4`: 1,408,451 images per second at 2.5 ns" in text


def test_it_says_what_it_is_of_and_what_goes_in_and_comes_out() -> None:
    plan = two_layers()
    text = readme_md(plan, "net", manifest_of(plan))
    assert text.startswith("# net\n")
    assert "`m.onnx` (sha256 `00ff`), made by crq\n0.1.0 for xc7z020, 2.5 ns, io_stream. No layer multiplies." in text
    assert "Folded for 10 images per second." in text
    assert "- input: 4×3 pixels, row by row, each with 2 channels of int4, codes -8 to 7" in text
    assert "- result: 1×1 pixels with 5 channels of int" in text
    assert "- real input = code × 0.125; logits = integer × output scale\n" in text
    assert "`firmware/net_axi.cpp` wraps it as an AXI4-Stream core" in text
    assert "No Vitis HLS has compiled this code" in text
    # 4 x 3 pixels of two int4 in one byte; 5 results of 9 bits one by one.
    assert "| `ap_clk`, `ap_rst_n` | the clock; the reset" in text
    assert "| `input_r` | AXI4-Stream in: 12 words of 8 bits per image, 2 values in each. TLAST" in text
    assert "| `result` | AXI4-Stream out: 5 words of 16 bits per image, 1 value in each. TLAST" in text
    assert "`net_prj/solution1/impl/ip`" in text
    assert "{" not in text


def test_layers_that_multiply_are_named() -> None:
    plan = two_layers(weight_type="INT4")
    assert "These layers multiply: stem.conv." in readme_md(plan, "net", manifest_of(plan))


def test_one_channel_is_no_plural() -> None:
    plan = two_layers(channels=1)
    assert "each with 1 channel of int4" in readme_md(plan, "net", manifest_of(plan))


def test_an_unrolled_project_has_no_cycles_and_no_axi_top() -> None:
    plan = two_layers("io_parallel")
    text = readme_md(plan, "net", manifest_of(plan))
    assert "| `fc4` | Dense | 1×1×5 | 240 TERNARY | 5 × 48 |  | why fc4 |" in text
    assert "An image every" not in text
    assert "_axi" not in text
    assert "AXI4-Stream core (`--io-type io_stream` has one)" in text
    assert "with `_ap_vld` beside it" in text
    assert "words" not in text


@pytest.mark.parametrize(
    ("given", "expected"),
    [(0, "32 images; they are random, or drive an accumulator to its bounds."),
     (8, "32 images: the first 8 were given to the build, the others are random, or drive an accumulator to its")],
)  # fmt: skip
def test_it_says_whose_images_the_testbench_has(given: int, expected: str) -> None:
    plan = two_layers()
    text = readme_md(plan, "net", manifest_of(plan, testbench={"images": 32, "given": given, "sha256": ""}))
    assert f"`tb_data` holds {expected}" in text


def host(plan: Plan) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    exec(host_py(plan.network, "net", plan.inputs, plan.outputs), scope)
    return scope


def images(pe: int = 2) -> Plan:
    """2 channels of INT5 negated: the result's codes in [-15, 16] have six bits, signed."""
    g = GraphBuilder((2, 2, 3), "INT5")
    network = Network(g.finish(g.negate("x", np.array([-1, -1])), input_scale=0.25, output_scale=0.5))
    return make_plan(network, "io_stream", {"neg1": Fold(pe)})


def test_the_host_rounds_half_to_even_and_clips() -> None:
    values = np.array([0, 0.25, -0.25, 0.125, 0.375, -0.125, 3.75, 4.0, -4.0, -9.0, 0.26, 0.2]).reshape(1, 2, 2, 3)
    assert host(images())["quantize"](values).ravel().tolist() == [0, 1, -1, 0, 2, 0, 15, 15, -16, -16, 1, 1]


def test_the_host_packs_channel_0_into_the_low_bits() -> None:
    codes = np.array([[[[1, -1, 15], [0, 0, 0]], [[-16, 2, 0], [0, 0, -1]]]])
    words = host(images())["pack"](codes)
    assert words.view("<u2").tolist() == [[[1 | 16 << 5], [31 | 2 << 5], [15], [0], [0], [31 << 5]]]


def test_the_host_packs_beats_of_some_channels() -> None:
    codes = np.array([[[[1, -1, 15], [0, 0, 0]], [[-16, 2, 0], [0, 0, -1]]]])
    assert host(images(1))["pack"](codes).tolist() == [[[v] for v in (1, 16, 31, 2, 15, 0, 0, 0, 0, 0, 0, 31)]]


def test_the_host_unpacks_signed_integers_and_scales_them() -> None:
    scope = host(images())
    words = [[63, 1 << 6, 16, 48 | 32 << 6, 0, 31]]
    found = scope["unpack"](np.array(words, "<u2"))
    assert found.tolist() == [[[[-1, 0, 16], [-16, 0, 31]], [[0, 1, 0], [-32, 0, 0]]]]
    logits = scope["logits"](found)
    assert logits.dtype == np.float32
    assert np.array_equal(logits, found / 2)


def test_a_vector_has_logits_without_pixels() -> None:
    scope = host(two_layers())
    assert scope["logits"](np.zeros((7, 5, 1, 1), np.int64)).shape == (7, 5)


def channels_last() -> Plan:
    network = Network(load_graph(LEGAL["NHWC input"])[0])
    return make_plan(network, "io_stream", {u.name: Fold(1, 1) for u in units(network)})


def test_a_channels_last_file_takes_channels_last_arrays_and_says_so() -> None:
    plan = channels_last()
    scope = host(plan)
    assert (scope["FILE_SHAPE"], scope["INPUT_SHAPE"]) == ((6, 6, 2), (2, 6, 6))
    x = np.random.default_rng(0).integers(0, 4, (3, 6, 6, 2)) * plan.network.metadata.inputs[0].scale
    assert np.array_equal(scope["quantize"](x), to_codes(plan.network, x.transpose(0, 3, 1, 2)))
    assert "of one image as the network's file takes it: height, width, channels" in host_py(
        plan.network, "net", plan.inputs, plan.outputs
    )
    assert "(N, 6, 6, 2): height, width, channels" in readme_md(plan, "net", manifest_of(plan))


@pytest.mark.parametrize("shape", [(1, 3, 2, 2), (2, 12), (2, 2, 3), (1, 2, 3, 2)])
def test_the_host_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(N, \*\(2, 2, 3\)\): channels, height, width"):
        host(images())["quantize"](np.zeros(shape))
    with pytest.raises(ValueError, match=r"expected \(N, \*\(2, 2, 3\)\): channels, height, width"):
        host(images())["pack"](np.zeros(shape, np.int64))


def test_the_host_refuses_words_of_another_image() -> None:
    with pytest.raises(ValueError, match="10 bytes: expected 6 words of 16 bits of each image"):
        host(images())["unpack"](np.zeros((1, 5), np.uint16))
