"""The firmware with another integer library: what synthesis sees, compiled against ac_int in place of ap_int."""

from __future__ import annotations

import subprocess
from pathlib import Path

import hls4ml
import pytest

from crq import hw
from tests.support import random_graphs

AC_TYPES = Path(hls4ml.__file__).parent / "templates" / "quartus" / "ac_types"
AP_INT = """#ifndef AP_INT_H
#define AP_INT_H
#include "ac_int.h"
template <int N> using ap_int = ac_int<N, true>;
template <int N> using ap_uint = ac_int<N, false>;
#endif
"""


@pytest.mark.parametrize("name", ["residual_net", "depthwise_net"])
def test_kernels_are_exact_with_ac_int(name: str, tmp_path: Path) -> None:
    """The testbench of a project with both forms: its own exit code says whether every integer is right."""
    project = hw.build(random_graphs.NETWORKS[name](), tmp_path / "p", target_fps=20_000)
    assert {f.form for f in project.folds.values()} == {"parallel", "folded"}
    (tmp_path / "ac").mkdir()
    (tmp_path / "ac" / "ap_int.h").write_text(AP_INT)
    flags = ["-std=c++14", "-O0", "-DCRQ_HLS", "-Isim/include", f"-I{tmp_path / 'ac'}", f"-I{AC_TYPES}"]
    sources = [f"{project.name}_test.cpp", f"firmware/{project.name}.cpp"]
    built = subprocess.run(
        ["g++", *flags, *sources, "-o", "ac_test"], cwd=project.directory, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[:3000]
    done = subprocess.run(["./ac_test"], cwd=project.directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "bit-exact" in done.stdout
