"""hls4ml's methods of a converted model: what they give, and what they refuse by name."""

from __future__ import annotations

import hls4ml
import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from tests.support.random_graphs import random_input, residual_net


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hls4ml") / "p"
    model = residual_net(1, size=4)
    return model, hls4ml.converters.convert_from_onnx_model(
        model, output_dir=str(folder), project_name="net", backend="crq"
    )


def test_trace_gives_the_logits_and_the_integers_of_every_layer(converted) -> None:
    model, found = converted
    codes = random_input(model, 3)
    logits, layers = found.trace(codes.astype(np.float32) / 256)
    network = Network(model)
    assert np.array_equal(logits, evaluate(network, codes).reshape(3, -1))
    golden: dict = {}
    evaluate(network, codes, golden.__setitem__)
    assert layers
    for name, values in layers.items():
        assert np.array_equal(values, golden[name].reshape(values.shape)), name


def test_what_a_crq_model_cannot_do_is_refused_by_name(converted, tmp_path) -> None:
    _, found = converted
    with pytest.raises(HwError, match=r"not saved by itself: its project folder holds all of it \(hw.open_project"):
        found.save(str(tmp_path / "m.fml"))
    names = [name for name in found.graph if len(found.graph[name].inputs) == 1]
    with pytest.raises(HwError, match=r"MultiModelGraph.*lower target_fps"):
        hls4ml.model.to_multi_model_graph(found, [names[2]])
    # What hls4ml.model.profiling.numerical does first.
    with pytest.raises(HwError, match=r"profiling\.numerical .*crq inspect FILE"):
        hls4ml.converters.convert_from_config({**found.config.config, "OutputDir": str(tmp_path / "x")})


def test_a_folder_with_another_network_answers_for_this_one(tmp_path) -> None:
    """Two conversions into one folder, as in a notebook: neither compiled nor written by hand."""
    found = []
    for seed in (1, 2):
        model = residual_net(seed, size=4)
        converted = hls4ml.converters.convert_from_onnx_model(
            model, output_dir=str(tmp_path / "p"), project_name="net", backend="crq"
        )
        codes = random_input(model, 3)
        images = codes.astype(np.float32) / 256
        expected = evaluate(Network(model), codes).reshape(3, -1)
        assert np.array_equal(converted.predict(images), expected)
        assert np.array_equal(converted.trace(images)[0], expected)
        found.append(expected)
    assert not np.array_equal(*found)
