"""What a reader asks first, a line each: does it fit, is it fast enough, what passes its ports, is it exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from crq.figures import ACCURACY, shown
from crq.hw.report import adders
from crq.hw.report.verdict import verdict

POWER = "not estimated; Vivado's report_power on the placed design says it"


class Answer(NamedTuple):
    """good: None where there is nothing to judge."""

    question: str
    text: str
    good: bool | None


def answers(report: Mapping[str, Any]) -> list[Answer]:
    """Of the content of report.json, in the order in which one asks."""
    own = [_fits(report), _rate(report), _latency(report), *_ports(report), *_exact(report), *_quality(report)]
    return [*own, Answer("power", POWER, None), _trust(report)]


def _fits(report: Mapping[str, Any]) -> Answer:
    part = report["device"]["part"]
    shares = {name: row["share"] for name, row in report["utilization"].items() if row["share"] is not None}
    over = {name: share for name, share in shares.items() if share > 1}
    if over:
        return Answer("fits", f"NO: {_listed(over)} of {part}", False)
    fullest = max(shares, key=lambda name: shares[name])
    reach = _reach(report)
    if beyond := {name: share for name, share in reach.items() if share > 1}:
        text = f"by the estimate, {_listed({fullest: shares[fullest]})} of {part}; the band reaches {_listed(beyond)}"
        return Answer("fits", text, None)
    return Answer("fits", f"yes, the fullest resource is {fullest}: {shares[fullest]:.1%} of {part}", True)


def _reach(report: Mapping[str, Any]) -> dict[str, float]:
    """Share of each resource at the upper end of the band."""
    band, rows = report["summary"].get("band") or {}, report["utilization"]
    ends = {name: band[name.lower()][1] for name in rows if name.lower() in band and rows[name]["share"] is not None}
    return {name: end / rows[name]["available"] for name, end in ends.items()}


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{share:.1%} of the {name}" for name, share in shares.items())


def _rate(report: Mapping[str, Any]) -> Answer:
    summary, wanted = report["summary"], _wanted(report).get("fps")
    reached = f"{summary['frames_per_second']:,.0f} frames/s"
    clock = f"at an assumed {1000 / report['clock_period_ns']:,.4g} MHz, {bound(report)}"
    if wanted is None:
        return Answer("rate", f"{reached} {clock}", None)
    good = summary["frames_per_second"] >= wanted
    return Answer("rate", f"{reached}, {'' if good else 'NOT the '}{_shown(wanted)} wanted, {clock}", good)


def _latency(report: Mapping[str, Any]) -> Answer:
    summary, wanted = report["summary"], _wanted(report).get("latency_us")
    cycles = "cycle" if summary["interval_cycles"] == 1 else f"{summary['interval_cycles']:,} cycles"
    text = f"{adders.duration(summary['latency_us'])}, {summary['latency_cycles']:,} cycles; an image every {cycles}"
    if wanted is None:
        return Answer("latency", text, None)
    good = summary["latency_us"] <= wanted
    return Answer("latency", f"{text}; wanted: {adders.duration(wanted)}{'' if good else ', NOT reached'}", good)


def _ports(report: Mapping[str, Any]) -> Iterator[Answer]:
    """Bytes of the words that pass the AXI4-Stream ports."""
    if ports := report["project"].get("ports"):
        sizes = {name: ports[name]["bits"] // 8 * ports[name]["per_image"] for name in ("input", "result")}
        rate = report["summary"]["frames_per_second"]
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
    if found := report["project"].get("verdict"):
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


def _trust(report: Mapping[str, Any]) -> Answer:
    """In a line; report.trust has the details."""
    if not report["calibration"]:
        return Answer("trust", "areas are estimates that no synthesis for this family was compared with", False)
    blind = report["calibration"]["blind"]
    text = f"areas are estimates, in RTL form {blind['lut_mean']:.0%} off in the mean, {blind['lut_max']:.0%} at most"
    if report["project"].get("backend") == "rtl":
        return Answer("trust", text, True)
    if own := report.get("own_reports"):
        return Answer("trust", f"{text}; the band is of {own} vendor report{'s' if own > 1 else ''} of your own", None)
    return Answer("trust", f"{text}; Vitis HLS was not measured", None)


def _shown(fps: float) -> str:
    return f"{fps:,.0f}" if fps >= 1000 else f"{fps:g}"


def _wanted(report: Mapping[str, Any]) -> Mapping[str, float]:
    return (report["project"].get("folding") or {}).get("wanted") or {}


def bound(report: Mapping[str, Any]) -> str:
    """What sets the frame rate."""
    name = report["summary"]["bottleneck"]
    return f"bound by {name}" if name else "every layer unrolled"
