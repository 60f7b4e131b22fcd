"""The report as one page that opens offline: curves as SVG, the fleet as a map with a slider; JSON beside it. Pure."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

COLOURS = ("#2563eb", "#d97706")
WIDTH, HEIGHT, LEFT, BOTTOM = 860, 170, 62, 22


def page_json(told: dict[str, Any]) -> str:
    """The figures; equal runs give equal bytes."""
    return json.dumps(told, indent=None, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"


def page(told: dict[str, Any]) -> str:
    """The whole page."""
    runs = told["runs"]
    title = f"{told['trace']} on {told['fleet']}"
    charts = [
        ("GPUs allocated", "gpus", 1.0, max(run["fleet"]["gpus"] for run in runs.values())),
        ("Power drawn, kW (rated, of what is allocated)", "powerW", 1000.0, 0),
        ("Jobs waiting", "waiting", 1.0, 0),
    ]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title><style>{STYLE}</style>",
        f"<h1>{html.escape(title)}</h1><p>Simulated with seed {told['seed']}: {LEAD}</p>",
        _table(runs),
        *(f"<h2>{name}</h2>{chart(runs, key, unit, most)}" for name, key, unit, most in charts),
        "<h2>Waits and promises</h2>",
        _bars(runs),
        "<h2>The fleet at an instant</h2>",
        '<p><input type=range id=at min=0 value=0 style="width:60%"> <span id=when></span></p>',
        *(
            f'<h3 style="color:{COLOURS[n % 2]}">{html.escape(name)}</h3><svg class=map id=map{n}></svg>'
            for n, name in enumerate(runs)
        ),
        "<p class=quiet>One cell a machine, grouped by rack: pale is empty, dark is full, red has failed.</p>",
        f"<script>const DATA={_map_data(runs)};{SCRIPT}</script></html>\n",
    ]
    return "".join(parts)


def _table(runs: dict[str, Any]) -> str:
    from tenure.cli.simulate.command import FIGURES

    head = "".join(f'<th style="color:{COLOURS[n % 2]}">{html.escape(name)}</th>' for n, name in enumerate(runs))
    rows = "".join(
        f"<tr><td>{label}</td>" + "".join(f"<td>{html.escape(value(run))}</td>" for run in runs.values()) + "</tr>"
        for label, value in FIGURES
    )
    return f"<table><tr><th></th>{head}</tr>{rows}</table>"


def chart(runs: dict[str, Any], key: str, unit: float, most: float) -> str:
    """One curve a run, as SVG."""
    top = max([most, *(point[key] / unit for run in runs.values() for point in run["series"])]) or 1
    start = min(run["series"][0]["atMs"] for run in runs.values())
    end = max(run["series"][-1]["atMs"] for run in runs.values())
    span = max(1, end - start)
    lines = []
    for number, run in enumerate(runs.values()):
        points = " ".join(
            f"{LEFT + (p['atMs'] - start) * (WIDTH - LEFT) / span:.1f},{_y(p[key] / unit, top):.1f}"
            for p in run["series"]
        )
        lines.append(f'<polyline fill=none stroke="{COLOURS[number % 2]}" stroke-width=1.6 points="{points}"/>')
    grid = "".join(
        f'<line x1={LEFT} x2={WIDTH} y1={_y(top * part, top):.1f} y2={_y(top * part, top):.1f} stroke="#ddd"/>'
        f"<text x={LEFT - 6} y={_y(top * part, top) + 4:.1f} text-anchor=end>{top * part:,.0f}</text>"
        for part in (0, 0.5, 1)
    )
    times = "".join(
        f"<text x={LEFT + (WIDTH - LEFT) * part:.0f} y={HEIGHT - 4} text-anchor={anchor}>"
        f"{when(start + span * part)}</text>"
        for part, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
    )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" class=chart>{grid}{times}{"".join(lines)}</svg>'


def when(ms: float) -> str:
    """An instant of the trace: days and hours from its start."""
    hours = ms / 3_600_000
    return f"{hours / 24:.1f} d" if hours >= 48 else f"{hours:.1f} h"


def _y(value: float, top: float) -> float:
    return 8 + (HEIGHT - BOTTOM - 8) * (1 - value / top)


def _bars(runs: dict[str, Any]) -> str:
    """Per run: waits by percentile and what became of promises, as bars with their figures."""
    found = []
    longest = max([1.0, *(run["waitSeconds"]["max"] for run in runs.values())])
    for number, run in enumerate(runs.values()):
        rows = [(f"wait {name}", run["waitSeconds"][name], longest, " s") for name in ("p50", "mean", "p95", "max")]
        promised = max(1, run["promises"]["promised"])
        rows += [(f"promises {name}", run["promises"][name], promised, "") for name in ("promised", "kept", "broken")]
        found.append(_bar_block(rows, COLOURS[number % 2]))
    return "".join(found)


def _bar_block(rows: Sequence[tuple[str, float, float, str]], colour: str) -> str:
    lines = []
    for place, (label, value, most, unit) in enumerate(rows):
        y = 4 + place * 18
        width = max(1.0 if value else 0.0, 520 * value / most)
        lines.append(
            f"<text x=120 y={y + 11} text-anchor=end>{label}</text>"
            f'<rect x=128 y={y} width={width:.1f} height=13 fill="{colour}"/>'
            f"<text x={134 + width:.1f} y={y + 11}>{value:,.0f}{unit}</text>"
        )
    return f'<svg viewBox="0 0 {WIDTH} {8 + 18 * len(rows)}" class=chart>{"".join(lines)}</svg>'


def _map_data(runs: dict[str, Any]) -> str:
    data = [
        {
            "machines": run["machines"],
            "at": [point["atMs"] for point in run["series"]],
            "map": [point["map"] for point in run["series"]],
        }
        for run in runs.values()
    ]
    # "</" would end the script element, whatever it stands in.
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")


LEAD = (
    "nothing ran and nothing was measured. Decisions are those of Tenure's placement core under a virtual clock. Power "
    "is the rated power of what is allocated."
)
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#1f2937}
h1{font-size:1.5em}h2{font-size:1.1em;margin-top:2em}h3{font-size:1em}
table{border-collapse:collapse}td,th{padding:.15em 1.2em .15em 0;text-align:left;border-bottom:1px solid #eee}
svg.chart{width:100%;height:auto}svg.map{width:100%}svg text{font-size:11px;fill:#6b7280}.quiet{color:#6b7280}"""

SCRIPT = """
const S=9,G=14,W=880,NS="http://www.w3.org/2000/svg",cells=[];
DATA.forEach((run,n)=>{const svg=document.getElementById("map"+n);let x=0,y=0,rack=null;const own=[];
run.machines.forEach(m=>{if(rack!==null&&m[1]!==rack)x+=4;rack=m[1];if(x+S>W){x=0;y+=G}
const r=document.createElementNS(NS,"rect");r.setAttribute("x",x);r.setAttribute("y",y);r.setAttribute("width",S-1);
r.setAttribute("height",G-3);const t=document.createElementNS(NS,"title");r.appendChild(t);svg.appendChild(r);
own.push([r,t,m]);x+=S});svg.setAttribute("viewBox","0 0 "+W+" "+(y+G));cells.push(own)});
const at=document.getElementById("at");at.max=DATA[0].at.length-1;
function show(){const i=+at.value;const at0=DATA[0].at[i];
document.getElementById("when").textContent=(at0/3600000).toFixed(1)+" h";
DATA.forEach((run,n)=>{let j=0;while(j+1<run.at.length&&run.at[j+1]<=at0)j++;const s=run.map[j];
cells[n].forEach(([r,t,m],k)=>{const c=s[k];
r.setAttribute("fill",c==="x"?"#dc2626":m[2]===0?"#e5e7eb":`hsl(221 83% ${95-5.4*c}%)`);
t.textContent=m[0]+(m[1]?" in "+m[1]:"")+": "+(c==="x"?"failed":Math.round(c/9*100)+" % of "+m[2]+" GPUs")})})}
at.oninput=show;at.value=Math.floor(at.max/2);show();
"""
