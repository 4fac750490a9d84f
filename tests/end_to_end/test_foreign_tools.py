"""Files as other tools write them, in the style of public model zoos: every link of the chain is equal."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from crq import hw
from crq.hw.ir.vectors import all_vectors
from crq.hw.verify.chain import file_links, layer_values, load_network
from crq.hw.verify.float32 import float_execution
from crq.hw.verify.float64.evaluate import float64_link
from tests.support.foreign_files import FOREIGN


@pytest.mark.parametrize("tool", FOREIGN)
def test_every_link_of_the_chain_is_equal(tool: str, tmp_path: Path) -> None:
    file = tmp_path / "foreign.onnx"
    onnx.save(FOREIGN[tool](), file)
    network = load_network(file)
    codes = all_vectors(network, 60, bounding_limit=30)
    few = codes[:20]
    expected = layer_values(network, few)
    links = [float64_link(file, network, few, expected)]
    project = hw.build(file, tmp_path / "project")
    links += file_links(network, project, codes)
    assert [str(link) for link in links if not link.equal] == []
    own = float_execution(file, network, few, expected)
    assert own.explained == own.images_differing
