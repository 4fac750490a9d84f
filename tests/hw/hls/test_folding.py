"""Folds of all units: explicit ones, hls4ml's reuse factors, the search, and what each of them refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crq.hw.cost.network import estimate
from crq.hw.dataflow.streams import pipeline
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.errors import HwError
from crq.hw.fold.candidates import meets
from crq.hw.fold.search import Choice
from crq.hw.hls.folding import cheapest, resolve_folds
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from tests.support.random_graphs import NETWORKS, GraphBuilder, small_cnn

NETWORK = Network(small_cnn(1))
UNITS = {u.name: u for u in units(NETWORK)}


def resolved(model: Any = None, layers: Any = None, **config: Any) -> Choice:
    hls = {"Model": model, "LayerName": layers}
    return resolve_folds(NETWORK, {**config, "HLSConfig": {k: v for k, v in hls.items() if v is not None}})


def every_unit() -> list[Unit]:
    return [unit for make in NETWORKS.values() for unit in units(Network(make(0)))]


@pytest.mark.parametrize("reuse", [1, 2, 7, 64, 100_000])
def test_the_cheapest_fold_is_legal_within_the_factor_and_no_other_has_fewer_lanes(reuse: int) -> None:
    for unit in every_unit():
        found = cheapest(unit, reuse)
        meant = [f for f in unit.legal_folds() if meets(f, found)]
        within = [f for f in unit.legal_folds() if unit.reuse_factor(f) <= reuse]
        assert meant
        assert set(meant) <= set(within)
        assert found.pe * found.simd == min(f.pe * f.simd for f in within)


def test_a_reuse_factor_below_one_is_refused_by_name() -> None:
    with pytest.raises(HwError, match="layer 'conv1': ReuseFactor 0; expected at least 1"):
        cheapest(UNITS["conv1"], 0)


def test_reuse_factors_and_lanes_by_layer_are_kept() -> None:
    layers = {"conv1": {"ReuseFactor": 9}, "conv4": {"PE": 3, "SIMD": 4, "Form": "folded"}}
    found = resolved({"ReuseFactor": 64}, layers)
    assert found.folds["conv4"] == Fold(3, 4, form="folded")
    assert UNITS["conv1"].reuse_factor(found.folds["conv1"]) == 9
    assert all(UNITS[name].reuse_factor(fold) <= 64 for name, fold in found.folds.items())
    assert found.goal == "a ReuseFactor of at most 64 in every layer"
    assert found.why["conv1"] == found.why["conv4"] == "given"
    assert found.why["fc7"] == "fewest lanes with a reuse factor of at most 64"
    assert set(found.folds) == set(UNITS)


def test_keys_by_layer_may_have_any_case() -> None:
    layers = {"conv1": {"reusefactor": 9}, "conv4": {"pe": 3, "simd": 12, "weightrom": "bram"}}
    found = resolved({"ReuseFactor": 64}, layers)
    assert found.folds["conv4"] == Fold(3, 12, "bram")
    assert UNITS["conv1"].reuse_factor(found.folds["conv1"]) == 9


def test_the_options_of_a_build_win_over_those_of_hls4ml() -> None:
    layers = {"conv1": {"PE": 1, "WeightRom": "lut"}}
    found = resolved(layers=layers, Folding={"conv1": [2, 3]}, WeightRom={"conv1": "bram"})
    assert found.folds["conv1"][:3] == (2, 3, "bram")


def test_lanes_without_simd_take_one_product() -> None:
    assert resolved(layers={"conv1": {"PE": 2}}).folds["conv1"][:2] == (2, 1)
    assert resolved(layers={"conv1": {"SIMD": 3}}).folds["conv1"][:2] == (1, 3)


def test_without_any_wish_the_search_decides() -> None:
    found = resolve_folds(NETWORK, {})
    assert set(found.folds) == set(UNITS)
    assert all(fold in UNITS[name].legal_folds() for name, fold in found.folds.items())
    assert resolved({"ReuseFactor": 1}, {}).folds == found.folds  # hls4ml's way to say nothing


def test_targets_reach_the_search_with_the_clock() -> None:
    found = resolve_folds(NETWORK, {"TargetFps": 50_000.0, "ClockPeriod": 10.0})
    assert pipeline(NETWORK, found.folds).interval <= 1e9 / 10 / 50_000
    slow = resolve_folds(NETWORK, {"TargetLatency": 50.0})
    assert pipeline(NETWORK, slow.folds).latency * 5e-3 <= 50
    assert "a latency of 50 µs" in slow.goal


def test_rom_styles_reach_every_way_to_fold() -> None:
    layers = {"conv4": {"WeightRom": "bram"}}
    for model, config in ((None, {}), ({"ReuseFactor": 64}, {}), (None, {"TargetLatency": 50.0})):
        assert resolved(model, layers, **config).folds["conv4"].rom == "bram"


def test_an_unrolled_project_has_every_lane() -> None:
    found = resolved(IOType="io_parallel")
    assert {name: UNITS[name].reuse_factor(fold) for name, fold in found.folds.items()} == dict.fromkeys(UNITS, 1)
    assert found.goal == "an image per cycle: io_parallel unrolls every layer"
    assert set(found.why.values()) == {"unrolled"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"IOType": "io_parallel", "BestFit": True}, "io_parallel unrolls every layer: targets, foldings and ROM"),
        ({"IOType": "io_parallel", "layers": {"conv1": {"PE": 1}}}, "io_parallel unrolls every layer"),
        ({"IOType": "io_parallel", "WeightRom": {"conv1": "lut"}}, "io_parallel unrolls every layer"),
        ({"model": {"ReuseFactor": 64}, "BestFit": True}, "ReuseFactor 64 bounds every layer: leave it at 1 to fold"),
        ({"layers": {"conv1": {"PE": 3}}}, "'conv1'"),
        ({"layers": {"conv9": {"PE": 1}}}, "hls_config of 'conv9': no such layer"),
        ({"layers": {"pool3": {"WeightRom": "bram"}}}, "weight ROM of 'pool3': a MaxPool has no weights"),
        ({"model": {"ReuseFactor": 9}, "layers": {"conv1": {"WeightRom": "flash"}}}, "style 'flash'; expected one of"),
        ({"model": {"ReuseFactor": 9}, "Folding": {"conv1": [3, 1]}}, "'conv1'"),
        ({"model": {"ReuseFactor": 9}, "layers": {"conv1": {"ReuseFactor": 0}}}, "'conv1': ReuseFactor 0; expected"),
        ({"model": {"reusefactor": 64}, "BestFit": True}, "ReuseFactor 64 bounds every layer"),
        ({"layers": {"conv1": {"PE": 2, "SIMD": 1, "ReuseFactor": 7}}}, "'conv1': ReuseFactor 7 is not that of PE 2"),
        ({"Part": "xc9z999"}, "part 'xc9z999' is not known"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(config: dict[str, Any], message: str) -> None:
    with pytest.raises(HwError, match=message):
        resolved(**config)


def test_the_form_of_a_layer_is_kept() -> None:
    layers = {"conv1": {"PE": 2, "SIMD": 1, "Form": "folded"}, "conv4": {"Form": "folded", "ReuseFactor": 200}}
    found = resolved({"ReuseFactor": 400}, layers).folds
    assert found["conv1"] == Fold(2, 1, form=FOLDED)
    assert found["conv4"].form == FOLDED
    assert UNITS["conv4"].reuse_factor(found["conv4"]) <= 200
    given = resolved(layers=layers, Folding={"conv1": [1, 1, "folded"], "conv4": [1, 36]}).folds
    assert (given["conv1"], given["conv4"]) == (Fold(1, 1, form=FOLDED), Fold(1, 36))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"conv1": {"Form": "round"}}, "Form 'round'; expected one of parallel, folded"),
        ({"conv1": {"Form": "folded"}}, "layer 'conv1': Form 'folded' alone; give PE and SIMD, or ReuseFactor, beside"),
        ({"bias8": {"Form": "folded", "ReuseFactor": 4}}, "layer 'bias8': Form 'folded' has no folding with a ReuseFa"),
    ],
)
def test_forms_that_cannot_be_had_are_refused_by_name(layers: dict[str, Any], message: str) -> None:
    with pytest.raises(HwError, match=message):
        resolved(layers=layers)


def test_distributed_arithmetic_unrolls_what_has_weights() -> None:
    found = resolved({"Strategy": "distributed_arithmetic"}, max_beat=4096)
    for name, unit in UNITS.items():
        assert unit.is_unrolled(found.folds[name]) == isinstance(unit.layer, Mac)
    one = resolved(layers={"conv4": {"Strategy": "Distributed_Arithmetic", "ReuseFactor": 1}}).folds
    assert [name for name, fold in one.items() if UNITS[name].is_unrolled(fold)] == ["conv4"]
    parallel = resolved({"Strategy": "distributed_arithmetic"}, IOType="io_parallel")
    assert parallel.goal == "an image per cycle: io_parallel unrolls every layer"
    resolved(layers={"conv4": {"Strategy": "distributed_arithmetic"}}, IOType="io_parallel")


def test_distributed_arithmetic_beside_another_folding_is_refused() -> None:
    with pytest.raises(HwError, match="'conv4': Strategy distributed_arithmetic unrolls it; remove pe, simd"):
        resolved(layers={"conv4": {"Strategy": "distributed_arithmetic", "PE": 3, "SIMD": 4}})
    with pytest.raises(HwError, match="'pool3': Strategy distributed_arithmetic is for layers with weights"):
        resolved(layers={"pool3": {"Strategy": "distributed_arithmetic"}})


def test_a_layer_too_large_to_be_built_in_is_refused_and_not_chosen() -> None:
    """1,024 x 192 weights of which none is zero, in one pixel, each way to ask for all of them at once."""
    g = GraphBuilder((1024,), "UINT1")
    network = Network(g.finish(g.matmul("x", 192, weights=np.ones((1024, 192), np.int64))))
    [unit] = units(network)
    message = r"'fc1': \(192, 1024\) builds all weights in: 196,608 non-zero digits, and at most 131,072 can be"
    by_layer = {"LayerName": {"fc1": {"PE": 192, "SIMD": 1024, "Form": "parallel"}}}
    for hls in ({"Model": {"Strategy": "distributed_arithmetic"}}, by_layer):
        with pytest.raises(HwError, match=message):
            resolve_folds(network, {"HLSConfig": hls, "MaxBeat": 4096})
    found = resolve_folds(network, {"TargetFps": 1e8 / 3, "MaxBeat": 4096}).folds["fc1"]
    assert not unit.is_unrolled(found)
    with pytest.raises(HwError, match="layer 'fc1': 196,608 non-zero digits of weights cannot all be built in"):
        estimate(network, {}, io_type="io_parallel")
