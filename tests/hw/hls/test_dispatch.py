"""hls4ml's own functions, asked for the crq backend and for others."""

from __future__ import annotations

import sys

import hls4ml
import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.hls.dispatch import install_converter
from crq.hw.hls.frontend import to_model_graph
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from tests.support.random_graphs import random_input, small_cnn


def test_other_backends_still_use_the_stock_parser(tmp_path) -> None:
    with pytest.raises(Exception, match="channels-last"):
        hls4ml.converters.convert_from_onnx_model(small_cnn(1).model, output_dir=str(tmp_path / "v"), backend="Vitis")
    with pytest.raises(Exception, match="channels-last"):
        hls4ml.utils.config_from_onnx_model(small_cnn(1).model, backend="Vitis")


def test_the_dispatch_is_installed_once() -> None:
    install_converter(to_model_graph)
    converters = sys.modules["hls4ml.converters"]
    first = converters.onnx_to_hls
    install_converter(to_model_graph)
    assert converters.onnx_to_hls is first


def test_a_configuration_lists_the_layers_and_takes_options_by_name(tmp_path) -> None:
    model = small_cnn(2).model
    config = hls4ml.utils.config_from_onnx_model(model, granularity="name", backend="crq")
    converted = hls4ml.converters.convert_from_onnx_model(
        model, hls_config=config, output_dir=str(tmp_path / "p"), project_name="net", backend="crq"
    )
    names = [process.unit.name for process in converted.crq_plan.processes if process.unit]
    assert sorted(config["LayerName"]) == sorted(names)
    config["LayerName"][names[0]] = {"PE": 1, "SIMD": 1, "Trace": True}
    folded = hls4ml.converters.convert_from_onnx_model(
        model, hls_config=config, output_dir=str(tmp_path / "q"), project_name="net", backend="crq"
    )
    (fold,) = (p.fold for p in folded.crq_plan.processes if p.unit and p.unit.name == names[0])
    assert (fold.pe, fold.simd) == (1, 1)
    assert hls4ml.utils.config.config_from_onnx_model(model, "model", "crq") == {"Model": {"ReuseFactor": 1}}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"granularity": "type"}, "granularity 'type': .*by layer: use 'name'"),
        ({"default_precision": "fixed<8,2>"}, "a precision has no meaning .*exact integer ranges. Leave it out"),
        ({"max_precision": "fixed<8,2>"}, "a precision has no meaning"),
    ],
)
def test_a_configuration_without_a_meaning_is_refused(options: dict, message: str) -> None:
    with pytest.raises(HwError, match=message):
        hls4ml.utils.config_from_onnx_model(small_cnn(1).model, backend="crq", **options)


def written(folder):
    model = small_cnn(2)
    hls4ml.converters.convert_from_onnx_model(model, output_dir=str(folder), project_name="net", backend="crq").write()
    return model


def test_a_project_is_linked_in_its_folder(tmp_path, monkeypatch) -> None:
    """Also after it was moved."""
    model = written(tmp_path / "p")
    (tmp_path / "p").rename(tmp_path / "moved")
    codes = random_input(model, 5)
    expected = evaluate(Network(model), codes).reshape(5, -1)
    linked = hls4ml.converters.link_existing_project(str(tmp_path / "moved"))
    monkeypatch.chdir(tmp_path / "moved")
    linked.compile()
    assert np.array_equal(linked.predict(codes.astype(np.float32) / 256), expected)
    assert "estimate" in linked.build()["CSynthesisReport"]["Source"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HwError, match=r"no project in .*in the project's folder, or use hw.open_project"):
        linked.predict(codes.astype(np.float32) / 256)


def test_a_configuration_is_converted_in_its_folder(tmp_path, monkeypatch) -> None:
    written(tmp_path / "p")
    with pytest.raises(HwError, match=r"integer_graph.onnx: no such file.*in the project's folder, or open"):
        hls4ml.converters.convert_from_config(str(tmp_path / "p" / "hls4ml_config.yml"))
    monkeypatch.chdir(tmp_path / "p")
    assert hls4ml.converters.convert_from_config("hls4ml_config.yml").crq_plan.processes
