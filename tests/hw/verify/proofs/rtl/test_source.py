"""Warnings and products in the Verilog of a project are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.hw.verify.proofs.rtl import source
from tests.support.rtl_projects import copied, needs_verilator, project


@needs_verilator
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_a_project_as_it_is_built_passes(io_type: str) -> None:
    found = source.lint(project(io_type))
    assert found.ok, found.facts
    assert f"no warning in {len(project(io_type).sources())} files" in found.facts
    free = source.multiplier(project(io_type))
    assert free.ok, free.facts
    assert "2 layers with weights" in free.facts


@needs_verilator
@pytest.mark.parametrize("product", ["result_data * result_data", "result_data / 3", "$signed(result_data) % 5"])
def test_products_are_found(product: str, tmp_path: Path) -> None:
    found = copied(project(), tmp_path / "p")
    path = found.directory / "rtl" / "net_axi.sv"
    path.write_text(path.read_text().replace("result_data};", f"8'({product})}};", 1))
    assert product.split()[1] in path.read_text()
    assert not source.multiplier(found).ok


@needs_verilator
def test_a_product_of_constants_is_none(tmp_path: Path) -> None:
    found = copied(project(), tmp_path / "p")
    path = found.directory / "rtl" / "net_axi.sv"
    path.write_text(
        path.read_text().replace("wire rst = !aresetn;", "wire [7:0] k = 3 * 5;\n  wire rst = !aresetn && k > 2;")
    )
    assert source.multiplier(found).ok


@needs_verilator
def test_warnings_are_named(tmp_path: Path) -> None:
    found = copied(project(), tmp_path / "p")
    path = found.directory / "rtl" / "net_axi.sv"
    path.write_text(
        path.read_text().replace("wire rst = !aresetn;", "wire [3:0] idle = 8'd200;\n  wire rst = !aresetn;")
    )
    proof = source.lint(found)
    assert not proof.ok
    assert "WIDTH" in proof.facts
    assert "net_axi.sv" in proof.facts
