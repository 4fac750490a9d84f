"""Files of public model zoos: every .onnx file in the folder CRQ_MODEL_ZOO, or in ../shared/models."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import hw
from hw.ir.vectors import all_vectors
from hw.verify.chain import file_links, layer_values, load_network
from hw.verify.float32 import float_execution

ZOO = Path(os.environ.get("CRQ_MODEL_ZOO") or Path(__file__).parents[3] / "shared" / "models")
FILES = sorted(ZOO.rglob("*.onnx"))


@pytest.mark.skipif(not FILES, reason=f"no .onnx files in {ZOO} (CRQ_MODEL_ZOO)")
@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_link_of_the_chain_is_equal(file: Path, tmp_path) -> None:
    network = load_network(file)
    codes = all_vectors(network, 100, bounding_limit=50)
    project = hw.build(file, tmp_path / "project")
    assert [str(link) for link in file_links(network, project, codes) if link.differing] == []
    few = codes[:20]
    own = float_execution(file, network, few, layer_values(network, few))
    assert own.explained == own.images_differing
