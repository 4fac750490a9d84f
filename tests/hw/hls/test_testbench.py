"""The testbench, compiled around a top function written by hand: what it says and returns."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.dataflow.units import Fold
from crq.hw.forms.vectors import data_file
from crq.hw.hls import testbench
from crq.hw.hls.plan import make_plan
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder

KERNELS = Path(hw.__file__).parent / "hls" / "kernels"

# Doubles each of 2 channels of 3 pixels, in either form.
TOPS = {
    "io_stream": """
#include "hls_stream.h"
#include "nnet_array.h"
typedef nnet::array<int, 2> input_t;
typedef nnet::array<int, 2> result_t;
inline void net(hls::stream<input_t> &input, hls::stream<result_t> &result) {
    for (int p = 0; p < 3; p++) {
        input_t beat = input.read();
        beat[0] *= 2;
        beat[1] *= 2;
        result.write(beat);
    }
}
""",
    "io_parallel": """
typedef int input_t;
typedef int result_t;
inline void net(const int input[6], int result[6]) {
    for (int i = 0; i < 6; i++)
        result[i] = 2 * input[i];
}
""",
}


@pytest.fixture(scope="module", params=TOPS)
def program(request, tmp_path_factory) -> Path:
    g = GraphBuilder((2, 1, 3), "INT4")
    plan = make_plan(Network(g.finish(g.shift("x", 1))), request.param, {"shift1": Fold(2)})
    folder = tmp_path_factory.mktemp("testbench")
    (folder / "firmware").mkdir()
    (folder / "firmware" / "net.h").write_text(TOPS[request.param])
    (folder / "net_test.cpp").write_text(testbench.testbench_cpp(plan, "net"))
    include = [f"-I{KERNELS}", f"-I{KERNELS / 'sim'}"]
    command = ["g++", "-std=c++14", "-Wall", "-Werror", "-Wno-unknown-pragmas", *include, "net_test.cpp", "-o", "test"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    return folder / "test"


IMAGES = np.array([[[[1, 2, 3]], [[-4, -5, -6]]], [[[7, 0, 0]], [[0, 0, -8]]]])  # (N, C, H, W)


def run(program: Path, folder: Path, inputs: str | None, expected: str | None) -> subprocess.CompletedProcess[str]:
    (folder / "tb_data").mkdir()
    for name, text in (("input_codes.dat", inputs), ("expected.dat", expected)):
        if text is not None:
            (folder / "tb_data" / name).write_text(text)
    shutil.copy(program, folder / "test")
    return subprocess.run(["./test"], cwd=folder, capture_output=True, text=True)


def test_a_data_file_has_an_image_per_line_pixel_by_pixel() -> None:
    assert data_file([IMAGES]) == "1 -4 2 -5 3 -6\n7 0 0 0 0 -8\n"


def test_equal_integers_pass_and_are_logged(program: Path, tmp_path: Path) -> None:
    done = run(program, tmp_path, data_file([IMAGES]), data_file([2 * IMAGES]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "bit-exact: 2 images\n", "")
    log = (tmp_path / "tb_data" / "csim_results.log").read_text()
    assert [line.split() for line in log.splitlines()] == [
        line.split() for line in data_file([2 * IMAGES]).splitlines()
    ]


def test_the_first_difference_ends_it(program: Path, tmp_path: Path) -> None:
    wrong = 2 * IMAGES
    wrong[1, 1, 0, 2] += 1
    done = run(program, tmp_path, data_file([IMAGES]), data_file([wrong]))
    assert (done.returncode, done.stderr) == (1, "ERROR: image 1, integer 5: expected -15, found -16\n")
    assert "bit-exact" not in done.stdout
    assert len((tmp_path / "tb_data" / "csim_results.log").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("inputs", "expected", "message"),
    [
        (None, "2\n", "run in the project folder, or add tb_data to the testbench"),
        ("1\n", None, "run in the project folder, or add tb_data to the testbench"),
        ("", "", "tb_data/input_codes.dat holds no image"),
        (data_file([IMAGES]), data_file([2 * IMAGES[:1]]), "tb_data/expected.dat ends before image 1"),
    ],
)
def test_files_that_are_missing_or_short_are_no_success(program: Path, inputs, expected, message, tmp_path) -> None:
    done = run(program, tmp_path, inputs, expected)
    assert done.returncode == 2
    assert message in done.stderr
