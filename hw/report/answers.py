"""What a reader asks first, a line each: does it fit, is it fast enough, what passes its ports, is it exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from crq.figures import ACCURACY, shown
from crq.hw.dataflow.timing import every
from crq.hw.devices.catalog import find
from crq.hw.forms.folder import named
from crq.hw.report import adders
from crq.hw.report.measured import Share, areas, contradictions, pace, shares
from crq.hw.report.verdict import verdict

TELLING = 0.05
"""Share of an image's cycles in which the slowest unit waits, from which on it is told."""
POWER = "not estimated; {} on the placed design says it"


class Answer(NamedTuple):
    """good: None where there is nothing to judge; warns: what a tool reported is not what was estimated or wanted."""

    question: str
    text: str
    good: bool | None
    warns: bool = False


def _meter(report: Mapping[str, Any]) -> str:
    """What estimates the power of a design on the report's part."""
    amd = find(report["device"]["part"]).for_vitis
    return "Vivado's report_power" if amd else "the power calculator of its maker"


def answers(report: Mapping[str, Any]) -> list[Answer]:
    """Of the content of report.json, in the order in which one asks."""
    own = [_fits(report), _rate(report), _latency(report), *_ports(report), *_exact(report), *_quality(report)]
    return [*own, Answer("power", POWER.format(_meter(report)), None), *_measured(report), _trust(report)]


def _fits(report: Mapping[str, Any]) -> Answer:
    part, found = report["device"]["part"], shares(report)
    over = {name: one for name, one in found.items() if one.share > 1}
    if over:
        return Answer("fits", f"NO: {_listed(over)} of {part}", False)
    name = max(found, key=lambda name: found[name].share)
    fullest = found[name]
    reach = {key: Share(share, None) for key, share in _reach(report).items() if not found[key].tool}
    if beyond := {key: one for key, one in reach.items() if one.share > 1}:
        by = "" if fullest.tool else "by the estimate, "
        text = f"{by}{_listed({name: fullest})} of {part}; the band reaches {_listed(beyond)}"
        return Answer("fits", text, None)
    by = f", by {fullest.tool}" if fullest.tool else ""
    return Answer("fits", f"yes, the fullest resource is {name}: {fullest.share:.1%} of {part}{by}", True)


def _reach(report: Mapping[str, Any]) -> dict[str, float]:
    """Share of each resource at the upper end of the band."""
    band, rows = report["summary"].get("band") or {}, report["utilization"]
    ends = {name: band[name.lower()][1] for name in rows if name.lower() in band and rows[name]["share"] is not None}
    return {name: end / rows[name]["available"] for name, end in ends.items()}


def _listed(found: Mapping[str, Share]) -> str:
    """Each with the tool that counted it; beside such ones an estimate says that it is one."""
    counted = any(one.tool for one in found.values())
    sources = {name: f" (by {one.tool or 'the estimate'})" if counted else "" for name, one in found.items()}
    return ", ".join(f"{one.share:.1%} of the {name}{sources[name]}" for name, one in found.items())


def _rate(report: Mapping[str, Any]) -> Answer:
    """At the clock of a placed design, where there is one; else at the one that the project was built for."""
    (rate, _, found), wanted = pace(report), _wanted(report).get("fps")
    clock = f"at an assumed {1000 / report['clock_period_ns']:,.4g} MHz"
    if found:
        clock = f"at {found.mhz:,.4g} MHz, {'met' if found.met else f'NOT the {found.asked:,.4g} MHz of the project'}"
        clock += f" ({found.tool})"
    reached, missed = f"{rate:,.0f} frames/s", found is not None and not found.met
    if wanted is None:
        return Answer("rate", f"{reached} {clock}, {bound(report)}", None, missed)
    enough = rate >= wanted
    text = f"{reached}, {'' if enough else 'NOT the '}{_shown(wanted)} wanted, {clock}, {bound(report)}"
    return Answer("rate", text, (None if missed else True) if enough else False, missed)


def _latency(report: Mapping[str, Any]) -> Answer:
    summary, latency, wanted = report["summary"], pace(report).latency_us, _wanted(report).get("latency_us")
    pace_of = f"an image {every(summary['interval_cycles'])}"
    text = f"{adders.duration(latency)}, {summary['latency_cycles']:,} cycles; {pace_of}"
    if wanted is None:
        return Answer("latency", text, None)
    good = latency <= wanted
    return Answer("latency", f"{text}; wanted: {adders.duration(wanted)}{'' if good else ', NOT reached'}", good)


def _ports(report: Mapping[str, Any]) -> Iterator[Answer]:
    """Bytes of the words that pass the AXI4-Stream ports."""
    if ports := report["project"].get("ports"):
        sizes = {"input": 0, "result": 0}
        for name, words in ports.items():
            sizes[name.rstrip("0123456789")] += words["bits"] // 8 * words["per_image"]
        rate = pace(report).frames_per_second
        text = "; ".join(
            f"{way} {size:,} bytes per image, {_bytes(size * rate)}/s"
            for way, size in zip(("in", "out"), sizes.values(), strict=True)
        )
        yield Answer("ports", text, None)


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:,.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} GB"


def _exact(report: Mapping[str, Any]) -> Iterator[Answer]:
    changed, found = report["project"].get("changed"), report["project"].get("verdict")
    if changed and found:
        _, outcome, details = verdict(found)
        yield Answer("exact", f"{outcome} as changed: {details}; changed: {named(changed)}", False)
    elif changed:
        text = f"UNKNOWN: {named(changed)} is not what the build wrote; build the project again"
        yield Answer("exact", text, False)
    elif found:
        good, outcome, details = verdict(found)
        yield Answer("exact", f"{outcome}: {details}", good)
    elif report["project"].get("ports"):
        yield Answer("exact", "not simulated yet: crq simulate compares every integer", False)


def _quality(report: Mapping[str, Any]) -> Iterator[Answer]:
    metric = report["project"].get("metric", ACCURACY)
    stages = report["project"].get(metric) or {}
    if stages:
        text = ", ".join(f"{stage} {shown(metric, value)}" for stage, value in stages.items())
        yield Answer(metric, text, None)


def _measured(report: Mapping[str, Any]) -> Iterator[Answer]:
    """Of the tools that ran: whether what they say goes with the estimate."""
    if wrong := contradictions(report):
        yield Answer("measured", "; ".join(wrong), None, True)
    elif found := areas(report):
        held = "; in the band" if report["summary"].get("band") else ""
        yield Answer("measured", f"{found[-1]['lut'] or 0:,g} LUT by {found[-1]['tool']}{held}", True)


def _trust(report: Mapping[str, Any]) -> Answer:
    """In a line; report.trust has the details."""
    if not report["calibration"]:
        return Answer("trust", "areas are estimates that no synthesis for this family was compared with", False)
    blind = report["calibration"]["blind"]
    text = (
        f"areas are estimates, in RTL form {blind['lut_mean']:.0%} off in the mean, {blind['lut_max']:.0%} at most "
        f"on {blind['layers']} blind layers"
    )
    if report["project"].get("backend") == "rtl":
        wrong = bool(contradictions(report))
        return Answer("trust", text, None if wrong else True, wrong)
    if own := report.get("own_reports"):
        return Answer("trust", f"{text}; the band is of {own} vendor report{'s' if own > 1 else ''} of your own", None)
    if areas(report):
        return Answer("trust", f"{text}; of this project a tool has reported, see above", None)
    return Answer("trust", f"{text}; Vitis HLS was not measured", None)


def _shown(fps: float) -> str:
    return f"{fps:,.0f}" if fps >= 1000 else f"{fps:g}"


def _wanted(report: Mapping[str, Any]) -> Mapping[str, float]:
    return (report["project"].get("folding") or {}).get("wanted") or {}


def bound(report: Mapping[str, Any]) -> str:
    """What sets the frame rate."""
    name = report["summary"]["bottleneck"]
    if not name:
        return "every layer unrolled"
    unit: Mapping[str, Any] = next((unit for unit in report["units"] if unit["name"] == name), {})
    waiting = unit.get("waiting_cycles", 0)  # not in reports that were saved before
    worth_it = waiting > TELLING * report["summary"]["interval_cycles"]
    joining = f" ({waiting:,} of its cycles wait for beats of its input to be joined)" if worth_it else ""
    return f"bound by {name}{joining}"
