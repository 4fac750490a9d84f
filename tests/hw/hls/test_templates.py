"""hls4ml's templates: each layer's struct and call are those of its own source, made once."""

from __future__ import annotations

import hls4ml
import pytest

from crq.hw.hls.emit import emit
from crq.hw.hls.templates import CallTemplate, ConfigTemplate, source_of
from tests.support.random_graphs import residual_net


@pytest.fixture(scope="module", params=["io_stream", "io_parallel"])
def model(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("templates") / "p"
    return hls4ml.converters.convert_from_onnx_model(
        residual_net(1, size=4), output_dir=str(folder), project_name="net", backend="crq", io_type=request.param
    )


def test_the_source_of_a_layer_is_emitted_for_the_projects_form_once(model) -> None:
    io_type = model.config.get_config_value("IOType")
    for process in model.crq_plan.processes:
        node = model.graph[process.name]
        found, expected = source_of(node), emit(process, io_type)
        assert found[:4] == expected[:4]
        assert [t.declaration for t in found.tables] == [t.declaration for t in expected.tables]
        assert source_of(node) is found


def test_structs_and_calls_reach_hls4mls_attributes(model) -> None:
    for process in model.crq_plan.processes:
        node = model.graph[process.name]
        assert node.get_attr("config_cpp") == source_of(node).config == ConfigTemplate().format(node)
        assert node.get_attr("function_cpp") == source_of(node).call == CallTemplate().format(node)
        assert node.get_attr("function_cpp").startswith(f"{process.name}(")
