"""Arrays by input on the command line: the file's own results, and refusals that say what is wanted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from crq import hw
from crq.hw.cli.arrays import codes_by_input
from crq.hw.cli.build import build
from crq.hw.cli.simulate import simulate
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.images import input_codes
from crq.hw.read import read_qonnx
from tests.support.several_sizes import image_and_table, values_of


@pytest.fixture
def network() -> Network:
    return Network(read_qonnx(image_and_table()))


def test_values_are_quantized_and_integers_are_codes(network: Network, tmp_path: Path) -> None:
    values = values_of(image_and_table(), 6)
    np.savez(tmp_path / "v.npz", **values, other=np.zeros(3))
    wanted = input_codes(network, values, quantize=True)
    np.testing.assert_array_equal(codes_by_input(network, str(tmp_path / "v.npz")), wanted)
    np.testing.assert_array_equal(codes_by_input(network, f"{tmp_path}/v.npz:all", 2), wanted[:2])
    np.savez(tmp_path / "c.npz", x=wanted[:, :72].reshape(6, 2, 6, 6), t=wanted[:, 72:])
    np.testing.assert_array_equal(codes_by_input(network, str(tmp_path / "c.npz")), wanted)


def test_other_files_are_refused(network: Network, tmp_path: Path) -> None:
    wanted = r"expected an \.npz file with an array for each input.*np\.savez\('inputs\.npz', x=…, t=…\)"
    np.savez(tmp_path / "half.npz", x=np.zeros((1, 2, 6, 6), int))
    (tmp_path / "text.npz").write_text("no archive")
    for name, told in (("digits:test", "has inputs of 2 sizes"),
                       ("half.npz", "^[^:]*half.npz: has no array 't', but 'x'"),
                       ("text.npz", "text.npz"), ("none.npz", "No such file")):  # fmt: skip
        with pytest.raises(HwError, match=f"{told}.*{wanted}"):
            codes_by_input(network, name if ":" in name else str(tmp_path / name))


@pytest.mark.parametrize("x", [np.zeros((0, 2, 6, 6), np.float32), np.float32(3)])
def test_no_images_are_no_comparison(network: Network, tmp_path: Path, x: np.ndarray) -> None:
    np.savez(tmp_path / "v.npz", x=x, t=np.zeros((1, 7), np.float32))
    with pytest.raises(HwError, match="v.npz: array 'x' holds no images; expected"):
        codes_by_input(network, str(tmp_path / "v.npz"))


def test_verbs_take_them(tmp_path: Path) -> None:
    file, data, folder = tmp_path / "m.onnx", tmp_path / "v.npz", tmp_path / "p"
    onnx.save(image_and_table(), file)
    values = values_of(image_and_table(), 5)
    np.savez(data, **values)
    run = CliRunner()
    done = run.invoke(build, [str(file), "-o", str(folder), "--data", str(data)])
    assert done.exit_code == 0, done.output
    project = hw.open_project(folder)
    assert project.manifest.testbench["given"] == 5
    told = run.invoke(simulate, [str(folder), "--data", str(data), "--no-checks", "--json"])
    facts = json.loads(told.stdout)
    assert (facts["images"], facts["bit_exact"], facts["note"][:17]) == (5, True, "figures not given")
    refused = run.invoke(simulate, [str(folder), "--data", str(data), "--codes"])
    assert "leave these out" in str(refused.exception)
