"""The backend object: configuration, completeness, compilation and prediction from hls4ml's side."""

from __future__ import annotations

from pathlib import Path

import hls4ml
import numpy as np
import pytest

from crq.errors import CrqError
from crq.hw.errors import HwError
from crq.hw.hls.backend import CrqBackend
from crq.hw.hls.layers import LAYERS
from crq.hw.hls.plugin import require_registered
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from tests.support.random_graphs import random_input, small_cnn


@pytest.fixture
def backend() -> CrqBackend:
    return require_registered()


def test_a_configuration_without_options_has_the_defaults(backend: CrqBackend) -> None:
    config = backend.create_initial_config()
    assert (config["Part"], config["ClockPeriod"], config["IOType"]) == ("xc7z020clg400-1", 5.0, "io_stream")
    assert config["ClockUncertainty"] == "27%"
    assert config["HLSConfig"] == {}
    assert config["WriterConfig"]["Namespace"] is None


def test_options_of_a_build_reach_the_configuration(backend: CrqBackend) -> None:
    config = backend.create_initial_config(
        part="KV260", clock_period=4, target_fps=10.0, folding={"a": (1, 2)}, clock_uncertainty="10%"
    )
    assert (config["Part"], config["ClockPeriod"], config["TargetFps"]) == ("KV260", 4.0, 10.0)
    assert config["Folding"] == {"a": [1, 2]}
    assert config["ClockUncertainty"] == "10%"


def test_what_hls4ml_gives_every_backend_is_taken(backend: CrqBackend) -> None:
    plain = backend.create_initial_config()
    given = {"namespace": None, "write_tar": False, "write_weights_txt": True, "tb_output_stream": "stdout"}
    assert backend.create_initial_config(**given) == plain


@pytest.mark.parametrize("options", [{"namespace": "a"}, {"write_tar": True}])
def test_what_it_does_not_do_is_refused(backend: CrqBackend, options: dict) -> None:
    with pytest.raises(HwError, match="supports neither namespace nor write_tar"):
        backend.create_initial_config(**options)


def test_an_unknown_option_is_refused_by_name(backend: CrqBackend) -> None:
    with pytest.raises((HwError, CrqError), match="unknown option 'reuse' of the crq backend"):
        backend.create_initial_config(reuse=4, part="KV260")


def test_a_flow_that_is_missing_is_named(backend: CrqBackend, monkeypatch) -> None:
    monkeypatch.setattr(backend, "_default_flow", "crq:lost")
    with pytest.raises(HwError, match=r"registered incompletely; missing: .*crq:lost"):
        require_registered()


def test_a_layer_that_is_missing_is_named(backend: CrqBackend, monkeypatch) -> None:
    from hls4ml.model.layers import layer_map

    backend.check_complete()
    monkeypatch.delitem(layer_map, LAYERS[2].__name__)
    with pytest.raises(HwError, match=f"missing: {LAYERS[2].__name__}$"):
        backend.check_complete()


def test_no_stock_pass_rewrites_the_graph(backend: CrqBackend) -> None:
    """Beside the types of variables all passes are the backend's own."""
    from hls4ml.model.flow import get_flow

    flows = [get_flow(name) for name in (backend.get_default_flow(), backend.get_writer_flow())]
    names = [name for flow in flows for name in [flow.name, *flow.requires]]
    assert all(name.startswith("crq:") for name in names)
    passes = {p for name in names for p in get_flow(name).optimizers}
    assert {p for p in passes if not p.startswith("crq:")} == {"vivado:transform_types"}


def test_compile_and_predict(tmp_path: Path) -> None:
    model = small_cnn(2)
    converted = hls4ml.converters.convert_from_onnx_model(
        model, output_dir=str(tmp_path / "p"), project_name="net", backend="crq"
    )
    converted.compile()
    [library] = (tmp_path / "p" / "build").glob("ap-*.so")
    assert library.is_file()
    codes = random_input(model, 5)
    logits = converted.predict(codes.astype(np.float32) / 256)
    assert np.array_equal(logits, evaluate(Network(model), codes).reshape(5, -1).astype(np.float32))


@pytest.mark.parametrize("shape", [(5, 8, 8, 1), (5, 64), (20, 1, 4, 4), (5, 8, 8)])
def test_predict_reshapes_nothing_that_could_mean_something_else(shape: tuple[int, ...], tmp_path: Path) -> None:
    converted = hls4ml.converters.convert_from_onnx_model(
        small_cnn(2), output_dir=str(tmp_path / "p"), project_name="net", backend="crq"
    )
    converted.write()
    with pytest.raises(HwError, match=r"expected \(N, 1, 8, 8\)"):
        converted.predict(np.zeros(shape, np.float32))


def test_a_board_sets_the_part_and_one_of_both_is_given(backend: CrqBackend, tmp_path: Path) -> None:
    with pytest.raises(HwError, match="board 'PYNQ-Z2' and part 'KV260': give one"):
        backend.create_initial_config(board="PYNQ-Z2", part="KV260")
    path = tmp_path / "m.onnx"
    small_cnn().save(str(path))
    model = hls4ml.converters.convert_from_onnx_model(
        str(path), output_dir=str(tmp_path / "p"), backend="crq", board="PYNQ-Z2", hls_config={"Model": {}}
    )
    assert model.config.get_config_value("Part") == "xc7z020clg400-1"
    assert model.crq_board == "PYNQ-Z2"
