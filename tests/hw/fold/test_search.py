"""Folding: targets are met with the least area, impossible wishes are refused by name."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from crq.hw.cost.network import area, estimate, estimate_unit
from crq.hw.dataflow.beats import widest
from crq.hw.dataflow.schedule import cycles
from crq.hw.dataflow.streams import pipeline
from crq.hw.dataflow.timing import HLS, RTL, Timing
from crq.hw.dataflow.units import FOLDED, PARALLEL, Fold, units
from crq.hw.devices import catalog as devices
from crq.hw.errors import HwError
from crq.hw.fold import search as fold
from crq.hw.fold.candidates import Limits, Wish, fastest
from crq.hw.fold.fit import fill, shares
from crq.hw.fold.joint import within
from crq.hw.ir.graph import Network
from tests.support import random_graphs


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(random_graphs.residual_net())


@pytest.mark.parametrize("fps", [1_000, 20_000, 100_000])
def test_target_is_met_by_every_unit(network: Network, fps: int) -> None:
    folds = fold.choose(network, target_fps=fps)
    assert pipeline(network, folds).interval * 5e-9 <= 1 / fps


def test_units_are_about_as_cheap_as_each_could_be_alone(network: Network) -> None:
    budget = 2_000
    folds = fold.choose(network, target_fps=1e9 / 5 / budget)
    cheapest = sum(min(area(u, f) for f in u.legal_folds() if cycles(u, f).interval <= budget) for u in units(network))
    chosen = sum(area(u, folds[u.name]) for u in units(network))
    assert cheapest <= chosen <= 1.25 * cheapest  # what is more than the least pays for beats that fit


def test_default_runs_as_fast_as_it_can_if_the_default_rate_is_out_of_reach(network: Network) -> None:
    folds = fold.choose(network, clock_period_ns=50_000)
    assert pipeline(network, folds).interval == fastest(network)[0]


def test_unreachable_target_names_the_unit_and_the_best_rate(network: Network) -> None:
    floor, slowest = fastest(network)
    with pytest.raises(HwError, match=rf"{slowest}.*{floor} cycles.*at most {int(1e9 / 5 / floor)} frames/s"):
        fold.choose(network, target_fps=1e8)


@pytest.mark.parametrize(("timing", "pe", "budget"), [(RTL, 2, 140), (HLS, 1, 260)])
def test_a_unit_that_given_beats_make_too_slow_is_named(network: Network, timing: Timing, pe: int, budget: int) -> None:
    """Both remedies in the message work. Alone, every unit is within the budget."""
    given = {"add8": Wish(pe)}
    assert fastest(network, Limits(given, timing=timing))[0] <= budget

    def interval(fps: float, given: dict[str, Wish]) -> int:
        folds = fold.decide(network, fold.Target(fps), overrides=given, timing=timing).folds
        return pipeline(network, folds, timing=timing).interval

    fps = 1e9 / 5 / (budget + 0.5)
    with pytest.raises(HwError, match=r"unit 'conv10' waits for beats as narrow as those of 'add8'") as refusal:
        interval(fps, given)
    assert "leave the folding of 'add8' to the search, or ask for" in str(refusal.value)
    assert interval(fps, {}) <= budget
    slower = float(str(refusal.value).split("ask for at most ")[1].split()[0])
    assert budget < interval(slower, given) <= 1e9 / 5 / slower


def test_a_given_folding_that_is_too_slow_itself_is_named(network: Network) -> None:
    given = {"conv1": Wish(1, 1, PARALLEL)}
    least = cycles(units(network)[0], Fold(1, 1)).interval
    with pytest.raises(
        HwError, match=r"unit 'conv1', folded as given, needs at least .* at most \d+ frames/s"
    ) as refusal:
        fold.choose(network, target_fps=1.1e9 / 5 / least, overrides=given)
    rate = float(str(refusal.value).split("at most ")[1].split()[0])
    assert pipeline(network, fold.choose(network, target_fps=rate, overrides=given)).interval == least


@pytest.mark.parametrize("microseconds", [2, 10, 50])
def test_latency_is_met_and_not_by_far(network: Network, microseconds: float) -> None:
    small = fold.decide(network, fold.Target(latency_us=microseconds)).folds
    reached = pipeline(network, small).latency * 5e-3
    assert microseconds / 2 <= reached <= microseconds


def test_unreachable_latency_names_the_least(network: Network) -> None:
    with pytest.raises(HwError, match=r"target latency 0.01 µs.*needs at least 0\.\d+ µs"):
        fold.decide(network, fold.Target(latency_us=0.01))


def test_rate_and_latency_together_are_both_met(network: Network) -> None:
    folds = fold.decide(network, fold.Target(fps=100_000, latency_us=20)).folds
    found = pipeline(network, folds)
    assert found.interval * 5e-9 <= 1 / 100_000
    assert found.latency * 5e-3 <= 20


def test_best_fit_is_the_fastest_that_fits() -> None:
    network = Network(random_graphs.resnet(1, widths=(16, 32, 64)))
    device = devices.find("xc7z010")
    folds = fold.decide(network, fold.Target(best_fit=True), device=device).folds
    assert fill(network, folds, device) <= fold.FILL
    faster = int(pipeline(network, folds).interval / fold.STEP**2)
    assert fill(network, within(network, faster, fold.remembered()), device) > fold.FILL


def perceptron(seed: int, inputs: int, widths: tuple[int, ...]) -> Network:
    g = random_graphs.GraphBuilder((inputs, 1, 1), "UINT2", seed=seed)
    h = g.flatten("x")
    for width in widths:
        h = g.threshold(g.matmul(h, width), 3)
    return Network(g.finish(g.matmul(h, 1)))


NETWORKS = {
    "narrowing": perceptron(1, 48, (24, 12)),
    "even": perceptron(2, 96, (16, 16, 16)),
    "uneven": perceptron(3, 60, (20, 30)),
    "convolutions": Network(random_graphs.small_cnn()),
}


@pytest.mark.parametrize("timing", [HLS, RTL])
@pytest.mark.parametrize(
    ("name", "part_of"), [("narrowing", 16), ("narrowing", 32), ("even", 8), ("even", 24), ("uneven", 16),
                          ("convolutions", 16)],
)  # fmt: skip
def test_no_build_for_a_rate_beats_the_best_fit(name: str, part_of: int, timing: Timing) -> None:
    """Of all rates up to a little below the one found: none that fills as little is faster, or smaller and as fast."""
    network, whole = NETWORKS[name], devices.find("xc7z010")
    device = replace(whole, lut=whole.lut // part_of, ff=whole.ff // part_of, bram36=whole.bram36 // part_of)

    def built(target: fold.Target) -> tuple[int, float, int]:
        folds = fold.decide(network, target, device=device, timing=timing).folds
        found = estimate(network, folds, device.priced, timing=timing)
        fits = max(shares(found.total, device).values()) <= fold.FILL
        return (found.pipeline.interval, found.total.lut, found.total.bram18) if fits else (10**9, 1e9, 10**9)

    best = built(fold.Target(best_fit=True))
    floor = fastest(network, Limits(timing=timing))[0]
    assert floor <= best[0] < 10**9
    for cycles_per_image in range(floor, best[0] + 6):
        try:
            rival = built(fold.Target(fps=1e9 / 5 / (cycles_per_image + 0.5)))
        except HwError:  # beats that are joined make the unit slower than any folding alone
            continue
        assert rival == best or any(theirs > ours for theirs, ours in zip(rival, best, strict=True)), cycles_per_image
        assert rival[0] >= best[0]


def test_where_nothing_fits_the_folding_is_fast_and_nearly_the_smallest() -> None:
    network = Network(random_graphs.resnet(1, widths=(16, 32, 64)))
    part = devices.find("xc7z010")
    device = replace(part, lut=part.lut // 40, ff=part.ff // 40, bram36=part.bram36 // 40)
    with pytest.raises(HwError, match=r"the smallest folding takes LUT \d+%, FF \d+%, BRAM36 \d+% of xc7z010"):
        fold.decide(network, fold.Target(best_fit=True), device=device)
    cost = fold.remembered()
    smallest = fill(network, within(network, 10**9, cost), device)
    assert fill(network, fold.choose(network, device=device), device) <= fold.NEAR_LEAST * smallest


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (fold.Target(best_fit=True, fps=1.0), "give it alone"),
        (fold.Target(best_fit=True), "needs a device"),
        (fold.Target(latency_us=-1.0), "target latency -1.0"),
        (fold.Target(fps=0.0), "target frame rate 0.0"),
    ],
)
def test_contradictory_targets_are_refused(network: Network, target: fold.Target, message: str) -> None:
    with pytest.raises(HwError, match=message):
        fold.decide(network, target)


def test_every_unit_has_a_reason(network: Network) -> None:
    first = units(network)[0].name
    choice = fold.decide(network, fold.Target(fps=20_000), overrides={first: Wish(1, 1)})
    assert choice.goal == "20,000 frames/s at 5 ns: 10,000 cycles per image and layer"
    assert choice.why.pop(first) == "given"
    assert set(choice.why) == {u.name for u in units(network)[1:]}
    assert all(text.endswith("within 10,000 cycles") for text in choice.why.values())


def test_rom_style_is_followed_by_the_estimate(network: Network) -> None:
    unit = units(network)[0]
    small = next(f for f in unit.legal_folds() if f.form == FOLDED)
    assert estimate_unit(unit, small).parts["weights"].bram18 == 0
    in_block_ram = estimate_unit(unit, small._replace(rom="bram")).parts["weights"]
    assert in_block_ram.bram18 == 1
    assert in_block_ram.lut == 0
    widest = Wish(unit.output.shape.c, unit.fan_in, PARALLEL)
    chosen = fold.decide(network, rom={unit.name: "bram"}).folds
    assert {name for name, f in chosen.items() if f.rom == "bram"} == {unit.name}
    with pytest.raises(HwError, match=rf"weight ROM of '{unit.name}': folded .* its weights are constants"):
        fold.decide(network, overrides={unit.name: widest}, rom={unit.name: "lut"})


def test_overrides_win_and_are_checked(network: Network) -> None:
    first = units(network)[0]
    for form in (PARALLEL, FOLDED):
        found = fold.choose(network, overrides={first.name: Wish(2, 1, form)})[first.name]
        assert found[:2] == (2, 1)
        assert found.form == form
    with pytest.raises(HwError, match=r"(?s)conv9.*did you mean conv"):
        fold.choose(network, overrides={"conv9": Wish(1)})
    with pytest.raises(HwError, match=r"\(3, 1\) is impossible; PE is one of \[1, 2, 4\]"):
        fold.choose(network, overrides={first.name: Wish(3, 1)})


def test_resnet20_is_folded_within_a_minute() -> None:
    started = time.monotonic()
    folds = fold.choose(Network(random_graphs.resnet(3)), target_fps=1_000)
    print(f"ResNet-20: {time.monotonic() - started:.1f} s (to take a minute at most)")
    assert {f.form for f in folds.values()} == {PARALLEL, FOLDED}


def test_a_beat_that_must_not_be_wide_is_refused_or_folded(network: Network) -> None:
    folds = fold.decide(network, fold.Target(fps=1_000), max_beat=16).folds
    assert all(widest(u, folds[u.name]) <= 16 for u in units(network))
    with pytest.raises(HwError, match=r"layer '.*': every folding left has a beat of \d+ bits or more.*--max-beat"):
        fold.decide(network, max_beat=4)
    with pytest.raises(HwError, match=r"widest beat of 8192 bits: expected 1 to 4096"):
        fold.decide(network, max_beat=8192)
