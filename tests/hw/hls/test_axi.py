"""The AXI4-Stream top: bus widths, and its C++ compiled and fed with words packed by hand."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import hw
from hw.dataflow.units import Fold
from hw.hls.axi import axi_cpp, bus_bits, has_axi_top
from hw.hls.plan import Plan, make_plan
from hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder, random_input


def negated(channels: int, dtype: str, io_type: str = "io_stream") -> Plan:
    g = GraphBuilder((channels, 2, 2), dtype)
    network = Network(g.finish(g.negate("x", np.full(channels, -1))))
    return make_plan(network, io_type, {"neg1": Fold(1)})


@pytest.mark.parametrize(
    ("channels", "dtype", "bits"),
    [(1, "UINT1", 8), (2, "UINT4", 8), (3, "INT3", 16), (3, "UINT8", 24), (5, "INT7", 40)],
)
def test_a_word_is_a_pixel_in_whole_bytes(channels: int, dtype: str, bits: int) -> None:
    assert bus_bits(negated(channels, dtype).input) == bits


def test_words_wider_than_dmas_take_have_no_such_top() -> None:
    """An 8-bit code negated has nine bits: 455 of them are 4,095, one more 4,104 bits."""
    assert has_axi_top(negated(455, "UINT8"))
    assert not has_axi_top(negated(456, "UINT8"))


def test_unrolled_projects_have_no_such_top() -> None:
    assert not has_axi_top(negated(3, "UINT8", "io_parallel"))


def test_the_text_names_the_top_and_its_words() -> None:
    text = axi_cpp(negated(3, "INT5"), "net")
    assert "typedef ap_axiu<16, 0, 0, 0> input_word;" in text  # 15 bits
    assert "typedef ap_axiu<24, 0, 0, 0> result_word;" in text  # 18 bits
    assert "void net_axi(hls::stream<input_word> &input, hls::stream<result_word> &result) {" in text
    assert "    net(codes, integers);" in text
    assert "#pragma HLS INTERFACE ap_ctrl_none port=return" in text


MAIN = """
#include "{name}_axi.cpp"
#include <cstdio>
int main() {{
    const unsigned words[] = {{{words}}};
    hls::stream<input_word> in("in");
    hls::stream<result_word> out("out");
    for (unsigned i = 0; i < 12; i++) {{
        input_word word;
        word.data = words[i];
        in.write(word);
        if (i % 4 == 3)
            {name}_axi(in, out);
    }}
    while (!out.empty()) {{
        const result_word word = out.read();
        std::printf("%u %d %d\\n", unsigned(word.data), int(word.last), int(word.keep == 7 && word.strb == 7));
    }}
    return in.empty() ? 0 : 1;
}}
"""


def test_words_go_in_and_words_come_out(tmp_path: Path) -> None:
    """Three images of 2 x 2 pixels, 3 channels of five bits each; some channels change their sign."""
    g = GraphBuilder((3, 2, 2), "INT5")
    signs = np.array([-1, 1, -1])
    model = g.finish(g.negate("x", signs))
    project = hw.build(model, tmp_path / "p", project_name="net")
    codes = random_input(model, 3)
    codes[0, :, 0, 0] = [-16, -16, 15]  # the ends of the range, and 16, which needs a sixth bit
    pixels = codes.transpose(0, 2, 3, 1).reshape(12, 3)
    words = [sum((int(v) & 31) << (5 * c) for c, v in enumerate(pixel)) for pixel in pixels]
    (tmp_path / "main.cpp").write_text(MAIN.format(name="net", words=", ".join(map(str, words))))
    command = ["g++", "-std=c++14", "-Wno-unknown-pragmas", "-Isim/include", "-Ifirmware/ap_types", "-Ifirmware"]
    sources = [str(tmp_path / "main.cpp"), "firmware/net.cpp", "-o", str(tmp_path / "main")]
    done = subprocess.run([*command, *sources], cwd=project.directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    run = subprocess.run([tmp_path / "main"], capture_output=True, text=True)
    assert run.returncode == 0
    expected = [
        [sum((int(v) & 63) << (6 * c) for c, v in enumerate(pixel * signs)), int(i % 4 == 3), 1]
        for i, pixel in enumerate(pixels)
    ]
    assert [[int(v) for v in line.split()] for line in run.stdout.splitlines()] == expected
