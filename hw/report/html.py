"""The report as one self-contained HTML file: no scripts, no network; made from report.json's content."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

from hw.report import sizes, vendor
from hw.report.beside import error, headline
from hw.report.terminal import between


def render_html(report: dict[str, Any]) -> str:
    """The page for `report` (the content of report.json)."""
    name = report["project"].get("name", "network")
    style = (files("hw.report") / "style.css").read_text()
    sections = [
        _head(report, name), _device(report), _verdict(report), _accuracy(report), _area(report), _timing(report),
        _pipeline(report), _weights(report), _table(report), _synthesis(report), _vendor(report), _parts(report),
        _sources(report),
    ]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(name)}: FPGA report</title><style>{style}</style></head><body><main>"
        + "\n".join(sections)
        + "</main></body></html>\n"
    )


def _head(report: dict[str, Any], name: str) -> str:
    device, s = report["device"], report["summary"]
    board = f", {device['board']}" if device["board"] else ""
    tiles = [
        (f"{s['frames_per_second']:,.0f}", "frames/s"),
        (f"{s['latency_us']:,.1f} µs", "latency"),
        (f"{s['interval_cycles']:,}", "cycles per image"),
        (f"{s['lut']:,.0f}", _with_band("LUT", s, "lut")),
        (f"{s['ff']:,.0f}", _with_band("FF", s, "ff")),
        (f"{s['bram36']:g}", _with_band("BRAM36", s, "bram36")),
        (f"{s['dsp']}", "DSP"),
    ]
    boxes = "".join(f'<div class="tile"><b>{escape(v)}</b><span>{escape(k)}</span></div>' for v, k in tiles)
    # Green only for what was compared with synthesis: the RTL form.
    good = " ok" if report["calibration"] and report["project"].get("backend") == "rtl" else ""
    return (
        f"<h1>{escape(name)}</h1>"
        f"<p class='soft'>{escape(device['part'])}{escape(board)} · {escape(device['family'])} · clock "
        f" {report['clock_period_ns']:g} ns · {escape(report['created'])}</p><div class='tiles'>{boxes}</div>"
        f"<div class='trust{good}'>Estimated: {escape(report['trust'])}.{_basis(s)}</div>"
    )


def _with_band(label: str, summary: dict[str, Any], key: str) -> str:
    return f"{label}, {between(summary['band'][key])}" if summary.get("band") else label


def _basis(summary: dict[str, Any]) -> str:
    return f" Low and high: {escape(summary['band']['basis'])}." if summary.get("band") else ""


def _bars(rows: Iterable[tuple[str, list[tuple[float, str]], str]]) -> str:
    """Rows of (name, [(share of the track, class)], value)."""
    cells = []
    for name, shares, value in rows:
        track = "".join(f'<i class="{c}" style="width:{100 * min(max(v, 0), 1):.2f}%"></i>' for v, c in shares)
        cells.append(
            f'<div class="name">{escape(name)}</div><div class="track">{track}</div>'
            f'<div class="value">{escape(value)}</div>'
        )
    return f'<div class="bars">{"".join(cells)}</div>'


def _device(report: dict[str, Any]) -> str:
    rows: list[tuple[str, list[tuple[float, str]], str]] = []
    for name, row in report["utilization"].items():
        if not row["available"]:
            continue
        if row["share"] is None:
            rows.append((name, [], f"{row['used']:,g} with 6 inputs; {row['available']:,} with 4: no verdict"))
            continue
        over = row["share"] > 1
        value = f"{row['used']:,g} of {row['available']:,} ({row['share']:.1%}{', does not fit' if over else ''})"
        rows.append((name, [(row["share"], "over" if over else "")], value))
    free = report["multiplier_free"]
    claim = "Multiplier-free" if free["every_layer"] else f"Multiplier-free except {', '.join(free['integer_layers'])}"
    return (
        f"<h2>Against the device</h2>{_bars(rows)}<p>{escape(claim)}: {escape(free['rule'])}.</p>"
        f"<p class='soft'>Capacity: {escape(report['device']['source'])}.</p>"
    )


def _verdict(report: dict[str, Any]) -> str:
    verdict = report["project"].get("verdict")
    if not verdict:
        return ""
    exact = verdict["differing"] == 0
    return (
        f"<h2>Bit-exactness</h2><div class='trust{' ok' if exact else ''}'>"
        f"{'Bit-exact' if exact else 'NOT bit-exact'}: {verdict['differing']:,} of {verdict['integers']:,} integers "
        f"differ on {verdict['images']:,} images, against {escape(str(verdict['against']))}.</div>"
    )


def _accuracy(report: dict[str, Any]) -> str:
    stages = report["project"].get("accuracy")
    if not stages:
        return ""
    return "<h2>Accuracy along the chain</h2>" + _bars((k, [(v, "")], f"{v:.2%}") for k, v in stages.items())


def _area(report: dict[str, Any]) -> str:
    largest = max([unit["lut"] for unit in report["units"]] + [1])
    rows = []
    for unit in report["units"]:
        logic, memory = unit["lut_logic"], unit["lut_memory"]
        rows.append((unit["name"], [(logic / largest, ""), (memory / largest, "b")], f"{unit['lut']:,.0f}"))
    key = "".join(
        f'<span class="key" style="background:var(--{c})"></span>{n}' for c, n in (("a", "logic"), ("b", "memory"))
    )
    return f"<h2>LUTs by unit</h2><p class='soft'>{key}</p>" + _bars(rows)


def _timing(report: dict[str, Any]) -> str:
    if not report["summary"]["bottleneck"]:
        return "<h2>What bounds the frame rate</h2><p>io_parallel: every layer is unrolled, an image per cycle.</p>"
    bound = report["summary"]["interval_cycles"]
    rows = [
        (u["name"], [(u["interval_cycles"] / bound, "slow" if u["interval_cycles"] == bound else "")],
         f"{u['interval_cycles']:,}")
        for u in report["units"]
    ]  # fmt: skip
    return (
        "<h2>What bounds the frame rate</h2><p>Cycles each unit is busy per image. All run at the same time: the "
        f"longest bar, {escape(report['summary']['bottleneck'])}, sets the rate; short ones could be folded more.</p>"
        + _bars(rows)
    )


def _pipeline(report: dict[str, Any]) -> str:
    end = max(report["summary"]["latency_cycles"], 1)
    rows = []
    for u in report["units"]:
        first, last = u["first_output_cycle"], u["last_output_cycle"]
        shares = [(first / end, "c"), (max(last - first, end / 300) / end, "")]
        rows.append((u["name"], shares, f"{first:,} to {last:,}"))
    return (
        "<h2>One image through the pipeline</h2><p>From the first input beat: cycles until a unit's first output, then "
        "while it gives outputs.</p>" + _bars(rows)
    )


def _weights(report: dict[str, Any]) -> str:
    cards = []
    for unit in report["units"]:
        if "weights" not in unit:
            continue
        w = unit["weights"]
        rows = [
            (f"{int(code):+d}" if int(code) else "0", [(n / w["count"], "")], f"{n / w['count']:.0%}")
            for code, n in w["histogram"].items()
        ]
        # Reports saved before these keys existed are shown without them.
        bits = f"<br>bits each: {escape(sizes.text(w['bits_per_weight']))}" if "bits_per_weight" in w else ""
        shown = _bars(rows) if len(rows) <= 9 else f"<p>{len(rows)} different codes</p>"
        cards.append(
            f'<div class="card"><b>{escape(unit["name"])}</b><br>{w["count"]:,} weights, {w["sparsity"]:.0%} zeros'
            f"<br><span class='soft'>{escape(w['type'])}, sums {escape(w['accumulator'])}{bits}</span>{shown}</div>"
        )
    total = report.get("bits_per_weight")
    whole = f"<p>Bits per weight of the network: {escape(sizes.text(total))}.</p>" if total else ""
    return f'<h2>Weights</h2>{whole}<div class="cards">{"".join(cards)}</div>'


COLUMNS = (
    ("unit", lambda u: escape(u["name"])),
    ("kind", lambda u: escape(u["kind"] + ("+thresholds" if u["thresholds"] else ""))),
    ("in", lambda u: "×".join(map(str, u["input_shape"]))),
    ("out", lambda u: "×".join(map(str, u["output_shape"]))),
    ("types", lambda u: f"{escape(u['input_type'])} → {escape(u['output_type'])}"),
    ("PE×SIMD", lambda u: f"{u['pe']}×{u['simd']}"),
    ("cycles", lambda u: f"{u['interval_cycles']:,}"),
    ("LUT", lambda u: f"{u['lut']:,.0f}"),
    ("FF", lambda u: f"{u['ff']:,.0f}"),
    ("BRAM36", lambda u: f"{u['bram36']:g}"),
    ("DSP", lambda u: f"{u['dsp']}"),
)


def _table(report: dict[str, Any]) -> str:
    head = "".join(f"<th>{name}</th>" for name, _ in COLUMNS)
    body = ""
    for unit in report["units"]:
        slow = ' class="slow"' if unit["name"] == report["summary"]["bottleneck"] else ""
        cells = "".join(f"<td>{show(unit)}</td>" for _, show in COLUMNS)
        body += f"<tr{slow}>{cells}</tr>"
    folding = report["project"].get("folding")
    reasons = ""
    if folding:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td class='text'>{escape(why)}</td></tr>"
            for name, why in folding["why"].items()
        )
        reasons = (
            f"<details><summary>Folded for {escape(folding['goal'])}: why each unit is folded as it is</summary>"
            f"<div class='scroll'><table><tr><th>unit</th><th class='text'>why</th></tr>{rows}</table></div></details>"
        )
    s = report["summary"]
    total = f"<tr class='sum'><td>total</td>{'<td></td>' * 5}<td>{s['interval_cycles']:,}</td>"
    total += f"<td>{s['lut']:,.0f}</td><td>{s['ff']:,.0f}</td><td>{s['bram36']:g}</td><td>{s['dsp']}</td>"
    table = f'<div class="scroll"><table><tr>{head}</tr>{body}{total}</tr></table></div>'
    return f"<h2>Units</h2>{table}{reasons}"


def _synthesis(report: dict[str, Any]) -> str:
    found = report["synthesis"]
    if not found:
        return ""
    names = ("LUT", "estimated", "error", "FF", "estimated", "error", "BRAM36", "estimated", "DSP")
    body = ""
    for row in [*found["units"], {"name": "total", **found["total"]}]:
        m, e = row["measured"], row["estimated"]
        cells = (
            f"{m['lut']:,.0f}", f"{e['lut']:,.0f}", error(row, "lut"), f"{m['ff']:,.0f}", f"{e['ff']:,.0f}",
            error(row, "ff"), f"{m['bram36']:g}", f"{e['bram36']:g}", f"{m['dsp']}",
        )  # fmt: skip
        kind = "" if "pe" in row else " class='sum'"
        body += f"<tr{kind}><td>{escape(row['name'])}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
    head = "".join(f"<th>{name}</th>" for name in ("unit", *names))
    return (
        f"<h2>Estimate beside synthesis</h2><p>{escape(headline(found))}.</p>"
        f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'
        f"<p class='soft'>Measured {escape(found['created'])}; again: crq synth.</p>"
    )


def _vendor(report: dict[str, Any]) -> str:
    if not report["project"].get("vendor"):
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("tool", *vendor.HEADS))
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in vendor.rows(report))
    return (
        f"<h2>Estimate beside the vendor's tools</h2><div class='scroll'><table><tr>{head}</tr>{body}</table></div>"
        "<p class='soft'>Read from the project by hls4ml's parser.</p>"
    )


def _parts(report: dict[str, Any]) -> str:
    rows = ""
    for unit in report["units"]:
        for part, r in unit["parts"].items():
            rows += (
                f"<tr><td>{escape(unit['name'])}</td><td>{escape(part)}</td><td>{r['lut_logic']:,.0f}</td>"
                f"<td>{r['lut_memory']:,.0f}</td><td>{r['ff']:,.0f}</td><td>{r['bram36']:g}</td></tr>"
            )
    return (
        "<details><summary>Every circuit of every unit (formulas: hw/cost/units.py, primitives.py)</summary>"
        "<div class='scroll'><table><tr><th>unit</th><th>circuit</th><th>LUT logic</th><th>LUT memory</th><th>FF</th>"
        f"<th>BRAM36</th></tr>{rows}</table></div></details>"
    )


def _sources(report: dict[str, Any]) -> str:
    project = report["project"]
    text = f"<h2>Where the figures come from</h2><p>{escape(report['trust'])}.</p>"
    if project.get("io_type") == "io_parallel":
        text += "<p>Cycles: one image per cycle (the top function's PIPELINE II=1); register stages are assumed.</p>"
    else:
        text += (
            "<p>Cycles: hw/dataflow/schedule.py, loop bounds of the units; checked cycle by cycle against Verilator "
            "for the RTL form. For an HLS project the pipeline depth is assumed.</p>"
        )
    found = report["calibration"]
    if found:
        text += f"<p>Blind test: {escape(found['blind']['sentence'])}. Repeat: {escape(found['command'])}</p>"
        second = found.get("second")
        if second:
            text += f"<p>Second blind test: {escape(second['sentence'])}. Repeat: {escape(second['command'])}</p>"
    if project.get("commands"):
        text += f"<h2>Commands</h2><pre>{escape(chr(10).join(project['commands']))}</pre>"
    if project.get("versions"):
        facts = project["versions"].items()
        rows = "".join(f"<tr><td>{escape(k)}</td><td>{escape(str(v))}</td></tr>" for k, v in facts)
        text += f"<h2>Versions</h2><table>{rows}</table>"
    return text
