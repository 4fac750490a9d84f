"""The AXI4-Stream top: bus widths, and its C++ compiled and fed with words packed by hand."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crq import hw
from crq.hw.dataflow.units import Fold
from crq.hw.dataflow.words import Words, words_of
from crq.hw.hls.axi import axi_cpp, has_axi_top
from crq.hw.hls.plan import Plan, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.ports import numbered
from tests.support.random_graphs import GraphBuilder, random_input
from tests.support.several_sizes import executed, image_and_table, values_of


def negated(channels: int, dtype: str, io_type: str = "io_stream", pe: int | None = None) -> Plan:
    g = GraphBuilder((channels, 2, 2), dtype)
    network = Network(g.finish(g.negate("x", np.full(channels, -1))))
    return make_plan(network, io_type, {"neg1": Fold(pe or channels)})


@pytest.mark.parametrize(
    ("channels", "dtype", "bits"),
    [(1, "UINT1", 8), (2, "UINT4", 8), (3, "INT3", 16), (3, "UINT8", 32), (5, "INT7", 64), (128, "UINT8", 1024)],
)
def test_a_word_is_the_smallest_power_of_two_that_holds_a_beat(channels: int, dtype: str, bits: int) -> None:
    assert words_of(negated(channels, dtype).inputs[0])[:2] == (bits, channels)


def test_a_word_holds_a_beat_and_not_a_pixel() -> None:
    assert words_of(negated(6, "UINT8", pe=2).inputs[0]) == Words(16, 2, 8, 1, 12)


def test_beats_wider_than_dmas_take_are_cut_into_words_of_whole_channels() -> None:
    """An 8-bit code negated has nine bits: 113 of them are 1,017 bits, one more 1,026."""
    assert words_of(negated(113, "UINT8").outputs[0]) == Words(1024, 113, 9, 1, 4)
    assert words_of(negated(114, "UINT8").outputs[0]) == Words(1024, 57, 9, 2, 8)
    assert words_of(negated(300, "UINT8").outputs[0]) == Words(1024, 100, 9, 3, 12)


def test_unrolled_projects_have_no_such_top() -> None:
    assert not has_axi_top(negated(3, "UINT8", "io_parallel"))


def test_the_text_names_the_top_and_its_words() -> None:
    text = axi_cpp(negated(3, "INT5"), "net")
    assert "typedef ap_axiu<16, 0, 0, 0> input_word;" in text  # 15 bits
    assert "typedef ap_axiu<32, 0, 0, 0> result_word;" in text  # 18 bits
    assert "void net_axi(hls::stream<input_word> &input, hls::stream<result_word> &result) {" in text
    assert "    net(codes, integers);" in text
    assert "#pragma HLS INTERFACE mode=ap_ctrl_none port=return" in text


MAIN = """
#include "{name}_axi.cpp"
#include <cstdio>
#include <iostream>
int main() {{
    hls::stream<input_word> in("in");
    hls::stream<result_word> out("out");
    for (unsigned image = 0; image < {images}; image++) {{
        for (unsigned w = 0; w < {words}; w++) {{
            input_word word;
            word.data = 0;
            for (int b = 0; b < input_word().data.length() / 8; b++) {{
                unsigned value;
                std::cin >> value;
                word.data.range(8 * b + 7, 8 * b) = value;
            }}
            in.write(word);
        }}
        {name}_axi(in, out);
    }}
    while (!out.empty()) {{
        const result_word word = out.read();
        for (int b = 0; b < word.data.length() / 8; b++)
            std::printf("%u ", unsigned(word.data.range(8 * b + 7, 8 * b)));
        const bool whole = word.keep.and_reduce() && word.strb.and_reduce();
        std::printf("%d %d\\n", int(word.last), int(whole));
    }}
    return in.empty() ? 0 : 1;
}}
"""


@pytest.mark.parametrize(("channels", "pe"), [(3, 3), (6, 2), (260, 260)])
def test_words_of_the_host_go_in_and_its_words_come_out(channels: int, pe: int, tmp_path: Path) -> None:
    """Three images of 2 x 2 pixels, channels of five bits each; some change their sign. 260 channels are cut."""
    g = GraphBuilder((channels, 2, 2), "INT5")
    signs = np.resize([-1, 1, -1], channels)
    model = g.finish(g.negate("x", signs))
    project = hw.build(model, tmp_path / "p", project_name="net", folding={"neg1": (pe, 1)}, max_beat=2048)
    host: dict[str, Any] = {}
    exec((project.directory / "host.py").read_text(), host)
    codes = random_input(model, 3)
    codes[0, :3, 0, 0] = [-16, -16, 15]  # the ends of the range, and 16, which needs a sixth bit
    words = host["pack"](codes)
    assert words.flags.c_contiguous
    assert words.shape[:2] == (3, words_of(project.plan.inputs[0]).per_image)
    (tmp_path / "main.cpp").write_text(MAIN.format(name="net", images=3, words=words.shape[1]))
    command = ["g++", "-std=c++14", "-Wno-unknown-pragmas", "-Isim/include", "-Ifirmware/ap_types", "-Ifirmware"]
    sources = [str(tmp_path / "main.cpp"), "firmware/net.cpp", "-o", str(tmp_path / "main")]
    done = subprocess.run([*command, *sources], cwd=project.directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    given = " ".join(map(str, words.ravel()))
    run = subprocess.run([tmp_path / "main"], input=given, capture_output=True, text=True)
    assert run.returncode == 0
    found = np.array([[int(v) for v in line.split()] for line in run.stdout.splitlines()])
    assert found[:, -1].all()
    per_image = words_of(project.plan.outputs[0]).per_image
    assert found[:, -2].tolist() == [int(i % per_image == per_image - 1) for i in range(3 * per_image)]
    integers = host["unpack"](found[:, :-2].astype(np.uint8))
    assert np.array_equal(integers, codes * signs[:, None, None])


def several(inputs: int, results: int, per_image: list[int]) -> str:
    """A program for a core with so many streams, as `MAIN`: all words of an image of each, then the next image."""
    ends = [numbered(kind, i) for kind, count in (("input", inputs), ("result", results)) for i in range(count)]
    lines = ['#include "net_axi.cpp"', "#include <cstdio>", "#include <iostream>", "int main() {"]
    lines += [f"    hls::stream<{end}_word> {end};" for end in ends]
    lines += ["    for (unsigned image = 0; image < 3; image++) {"]
    for end, count in zip(ends[:inputs], per_image, strict=True):
        lines += [f"        for (unsigned w = 0; w < {count}; w++) {{",
                  f"            {end}_word word;", "            word.data = 0;",
                  "            for (int b = 0; b < word.data.length() / 8; b++) {", "                unsigned value;",
                  "                std::cin >> value;", "                word.data.range(8 * b + 7, 8 * b) = value;",
                  "            }", f"            {end}.write(word);", "        }"]  # fmt: skip
    lines += [f"        net_axi({', '.join(ends)});", "    }"]
    for end in ends[inputs:]:
        lines += [f"    while (!{end}.empty()) {{", f"        const {end}_word word = {end}.read();",
                  "        for (int b = 0; b < word.data.length() / 8; b++)",
                  '            std::printf("%u ", unsigned(word.data.range(8 * b + 7, 8 * b)));',
                  '        std::printf("%d ", int(word.last));', "    }", '    std::printf("\\n");']  # fmt: skip
    return "\n".join([*lines, f"    return {' || '.join(f'!{end}.empty()' for end in ends[:inputs])};", "}", ""])


def test_every_port_has_a_stream_of_words(tmp_path: Path) -> None:
    proto = image_and_table()
    project = hw.build(proto, tmp_path / "p", project_name="net")
    assert isinstance(project, hw.project.HlsProject)
    host: dict[str, Any] = {}
    exec((project.directory / "host.py").read_text(), host)
    values = values_of(proto, 3)
    buffers = host["pack"](host["quantize"](values))
    program = several(2, 2, [buffer.shape[1] for buffer in buffers])
    (tmp_path / "main.cpp").write_text(program)
    command = ["g++", "-std=c++14", "-Wno-unknown-pragmas", "-Isim/include", "-Ifirmware/ap_types", "-Ifirmware"]
    sources = [str(tmp_path / "main.cpp"), "firmware/net.cpp", "-o", str(tmp_path / "main")]
    done = subprocess.run([*command, *sources], cwd=project.directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    given = [str(byte) for image in range(3) for buffer in buffers for byte in buffer[image].ravel()]
    run = subprocess.run([tmp_path / "main"], input=" ".join(given), capture_output=True, text=True)
    assert run.returncode == 0
    words = []
    for line, stream in zip(run.stdout.splitlines(), project.plan.outputs, strict=True):
        size = words_of(stream)
        found = np.array(line.split(), int).reshape(3, size.per_image, size.bits // 8 + 1)
        assert found[:, :, -1].tolist() == [[0] * (size.per_image - 1) + [1]] * 3
        words.append(found[:, :, :-1].astype(np.uint8))
    for have, want in zip(host["results"](host["unpack"](words)), executed(proto, values), strict=True):
        np.testing.assert_array_equal(have.reshape(want.shape), want)
