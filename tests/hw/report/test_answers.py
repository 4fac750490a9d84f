"""The first lines of a report answer from its figures."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.answers import Answer, answers
from crq.hw.report.model import build_report
from tests.support import random_graphs

NETWORK = Network(random_graphs.global_pool_net())
FACTS = build_report(NETWORK, choose(NETWORK), "PYNQ-Z2", 5.0, project_info={"name": "my net"}).to_dict()


def found(**project: Any) -> dict[str, Answer]:
    return of({**FACTS, "project": project})


def of(report: dict[str, Any]) -> dict[str, Answer]:
    return {answer.question: answer for answer in answers(report)}


@pytest.mark.parametrize(("part", "meter"), [("PYNQ-Z2", "Vivado's report_power"), ("ulx3s-25f", "power calculator")])
def test_power_is_asked_of_the_maker_of_the_part(part: str, meter: str) -> None:
    report = build_report(NETWORK, choose(NETWORK), part, 8.0, project_info={"name": "my net"}).to_dict()
    assert meter in of(report)["power"].text


def test_the_order_in_which_one_asks() -> None:
    ports = {"input": {"bits": 8, "per_image": 64}, "result": {"bits": 16, "per_image": 10}}
    assert list(found(ports=ports, accuracy={"frozen": 0.9})) == [
        "fits", "rate", "latency", "ports", "exact", "accuracy", "power", "trust",
    ]  # fmt: skip


def test_what_fits_names_the_fullest_resource_and_what_does_not_all_that_are_over() -> None:
    full = copy.deepcopy(FACTS)
    for name, share in (("LUT", 0.5), ("FF", 0.25), ("BRAM36", 0.75), ("DSP", 0.0)):
        full["utilization"][name]["share"] = share
    part = FACTS["device"]["part"]
    assert of(full)["fits"] == Answer("fits", f"yes, the fullest resource is BRAM36: 75.0% of {part}", True)
    full["utilization"]["LUT"]["share"] = full["utilization"]["FF"]["share"] = 1.5
    assert of(full)["fits"] == Answer("fits", f"NO: 150.0% of the LUT, 150.0% of the FF of {part}", False)


def test_what_fits_by_the_estimate_alone_is_no_yes() -> None:
    full = copy.deepcopy(FACTS)
    lut = full["utilization"]["LUT"]
    lut["share"] = 0.7
    full["summary"]["band"]["lut"] = [0, 1.4 * lut["available"]]
    answer = of(full)["fits"]
    assert answer.good is None
    assert answer.text.startswith("by the estimate, 70.0% of the LUT")
    assert answer.text.endswith("the band reaches 140.0% of the LUT")


@pytest.mark.parametrize(("factor", "good"), [(0.5, True), (1.0, True), (2.0, False)])
def test_what_was_wanted_is_reached_or_not(factor: float, good: bool) -> None:
    summary = FACTS["summary"]
    wanted = {"fps": factor * summary["frames_per_second"], "latency_us": summary["latency_us"] / factor}
    answer = found(folding={"goal": "", "why": {}, "wanted": wanted})
    assert answer["rate"].good is answer["latency"].good is good
    assert f"{summary['frames_per_second']:,.0f} frames/s" in answer["rate"].text
    assert f"{wanted['fps']:,.0f} wanted" in answer["rate"].text
    assert ("NOT" in answer["rate"].text, "NOT" in answer["latency"].text) == (not good, not good)


def test_without_a_wish_there_is_nothing_to_judge() -> None:
    answer = found()
    assert (answer["rate"].good, answer["latency"].good) == (None, None)
    assert "200 MHz" in answer["rate"].text
    assert f"bound by {FACTS['summary']['bottleneck']}" in answer["rate"].text
    unrolled = {**FACTS, "summary": {**FACTS["summary"], "bottleneck": ""}}
    assert "every layer unrolled" in of(unrolled)["rate"].text


def test_bytes_are_those_of_the_bus_words() -> None:
    ports = {"input": {"bits": 32, "per_image": 64}, "result": {"bits": 16, "per_image": 10}}
    quick = {**FACTS, "summary": {**FACTS["summary"], "frames_per_second": 1e6}, "project": {"ports": ports}}
    assert of(quick)["ports"].text == "in 256 bytes per image, 256 MB/s; out 20 bytes per image, 20 MB/s"


def test_a_project_that_was_not_simulated_says_so() -> None:
    ports = {"input": {"bits": 8, "per_image": 1}, "result": {"bits": 8, "per_image": 1}}
    assert found(ports=ports)["exact"].good is False
    assert "not simulated yet" in found(ports=ports)["exact"].text
    same = {"images": 3, "integers": 30, "differing": 0, "against": "PyTorch", "equal": True}
    assert found(ports=ports, verdict=same)["exact"].good is True
    assert "exact" not in found()


def test_trust_is_green_for_what_was_compared_with_synthesis() -> None:
    assert found(backend="rtl")["trust"].good is True
    assert found(backend="hls")["trust"].good is None
    assert "Vitis HLS was not measured" in found(backend="hls")["trust"].text
    assert of({**FACTS, "calibration": None})["trust"].good is False
