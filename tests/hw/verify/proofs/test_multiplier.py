"""Multiplier-free by compilation: without *, / and % a sound project compiles, one that multiplies data does not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from crq import hw
from crq.hw.verify.proofs.multiplier import check, headers_without_multiplication
from tests.support.random_graphs import global_pool_net, small_cnn


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> hw.Project:
    return hw.build(small_cnn(4), tmp_path_factory.mktemp("multiplier") / "p", project_name="p")


@pytest.fixture
def copy(sound: hw.Project, tmp_path: Path) -> hw.Project:
    return hw.open_project(shutil.copytree(sound.directory, tmp_path / "p"))


def test_a_sound_project_passes_and_says_how_much_was_taken_away(sound: hw.Project) -> None:
    result = check(sound.directory, sound.name, sound.plan)
    assert (result.name, result.ok, result.exceptions) == ("multiplier-free", True, ())
    layers, removed = map(
        int, re.fullmatch(r"(\d+) layers compile .* \((\d+) definitions removed\)", result.facts).groups()
    )
    assert layers == 5  # two convolutions with their thresholds, a pool, a dense layer and its bias
    assert removed > 0


@pytest.mark.parametrize(
    ("header", "old", "new"),
    [
        ("crq_product.h", "return (term_t(x) & nonzero) ^ negative;", "return term_t(x * term_t(1 - int(code & 2)));"),
        ("crq_threshold.h", "if (x >= row[count + step - 1])", "if (x * x_T(1) >= row[count + step - 1])"),
        ("crq_pool.h", "if (x > best)", "if (3 * x > best)"),
        ("crq_mac.h", "return partial;", "return partial * partial;"),
        ("crq_mac.h", "return partial;", "return partial / 2;"),
    ],
)  # fmt: skip
def test_a_multiplication_on_data_does_not_compile(copy: hw.Project, header: str, old: str, new: str) -> None:
    path = copy.directory / "firmware" / "nnet_utils" / header
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    result = check(copy.directory, copy.name, copy.plan)
    assert not result.ok
    assert "operator" in result.facts


def test_integer_layers_are_named_as_not_covered(tmp_path: Path) -> None:
    project = hw.build(global_pool_net(1), tmp_path / "p", project_name="p")
    result = check(project.directory, project.name, project.plan)
    assert result.ok
    assert result.exceptions == ("conv1", "fc7")
    assert str(result).endswith("; not covered: conv1, fc7")


def test_headers_that_have_nothing_to_remove_prove_nothing(copy: hw.Project) -> None:
    """As when the ap types spell their operators another way: the compilation would pass whatever the code does."""
    types = copy.directory / "firmware" / "ap_types"
    headers_without_multiplication(types, copy.directory / "less")
    shutil.rmtree(types)
    shutil.move(copy.directory / "less", types)
    result = check(copy.directory, copy.name, copy.plan)
    assert (result.ok, result.facts) == (False, "the project's ap headers define no multiplication to remove")


def compiles(expression: str, headers: Path, folder: Path) -> bool:
    source = folder / "one.cpp"
    source.write_text(f'#include "ap_int.h"\nap_int<9> f(ap_int<4> a, ap_uint<5> b, int c) {{ {expression} }}\n')
    command = ["g++", "-std=c++14", "-fsyntax-only", "-Wno-unknown-pragmas", f"-I{headers}", str(source)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_headers_lose_multiplication_and_keep_the_rest(sound: hw.Project, tmp_path: Path) -> None:
    original = sound.directory / "firmware" / "ap_types"
    assert headers_without_multiplication(original, tmp_path / "less") > 0
    assert {p.name for p in original.iterdir()} == {p.name for p in (tmp_path / "less").iterdir()}
    kept = "a += b; return a - (a & b) + (b << 1) + a.range(2, 1) + (a > b) + c;"
    assert compiles(kept, tmp_path / "less", tmp_path)
    gone = ("return a.range(2, 1) * b;", "a *= 3; return a;", "return c % b;")
    assert compiles(" ".join(f"{{ {statement} }}" for statement in gone), original, tmp_path)
    for statement in gone:
        assert not compiles(statement, tmp_path / "less", tmp_path), statement
