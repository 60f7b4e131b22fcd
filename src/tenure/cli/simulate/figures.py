"""The figures that are said of a run: in the terminal and on the page, the same words in the same order. Pure."""

from collections.abc import Callable
from typing import Any


def _promised(promises: dict[str, Any]) -> str:
    if not promises["asked"]:
        return "no job has a deadline"
    return f"{promises['promised']:,} of {promises['asked']:,} asked, at {promises['madeAt']}"


def _kept(promises: dict[str, Any]) -> str:
    if not promises["asked"]:
        return "0"
    return f"{promises['keptShare']:.1%} of jobs, {promises['keptGpuTimeShare']:.1%} of GPU time"


def _most(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]


FIGURES: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("machines", lambda r: f"{r['fleet']['machines']:,}"),
    ("GPUs", lambda r: f"{r['fleet']['gpus']:,}"),
    ("started", lambda r: f"{r['jobs']['started']:,} of {r['jobs']['arrived']:,}"),
    ("refused", lambda r: f"{sum(r['jobs']['refused'].values()):,}"),
    ("waiting at the end", lambda r: f"{r['jobs']['waitingAtEnd']:,}"),
    ("GPUs occupied", lambda r: f"{r['occupiedShare']:.1%}"),
    ("GPU-hours", lambda r: f"{r['gpuHours']:,}"),
    ("peak power", lambda r: f"{r['peakPowerW'] / 1000:,.1f} kW" if r["fleet"]["powerKnown"] else "unknown"),
    ("mean wait", lambda r: f"{r['waitSeconds']['mean']:,} s"),
    ("p95 wait", lambda r: f"{r['waitSeconds']['p95']:,} s"),
    ("promised", lambda r: _promised(r["promises"])),
    ("kept", lambda r: _kept(r["promises"])),
    ("promises broken", lambda r: f"{r['promises']['broken']:,}"),
    ("held back by", lambda r: ", ".join(f"{k} ({n:,})" for k, n in _most(r["heldBy"])) or "nothing"),
)
"""What is said of each run, in this order, here and on the page."""
