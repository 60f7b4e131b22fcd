"""Our peers beside the curves that FGD's authors published: whether what we compare with is what they measured.

What is fair: in a run of our own, seeds are names only. The authors shuffle by another generator, so their seed 42 and
ours are two draws of the same experiment, and the means of both differ by chance (`peers` replays their arrivals). Per
level we allow three standard errors of the difference of two such means, by the deviation between the published seeds
there; and never less than 0.3 points, the aim that is stated for FGD, whose curve hardly depends on the seed. Random's
does, so two seeds of it decide little.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

PEERS = {"FGD": "fgd", "BestFit": "bestfit", "Random": "random"}
"""Published name (after its number) to ours. PWR's authors published plots, no figures: nothing here checks it."""

LEAST_POINTS = 0.3
STANDARD_ERRORS = 3.0
FROM_LEVEL = 5

Published = dict[tuple[str, str], list[dict[str, str]]]


def read_published(path: Path) -> Published:
    """Rows by (list, peer); one a seed."""
    found: Published = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            peer = PEERS.get(row["sc_policy"].partition("-")[2])
            if peer is not None:
                found[row["workload"], peer].append(row)
    return found


def against(published: Published, lists: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """By list and peer: where our mean curve is furthest from theirs (points), what chance allows there, and whether
    every level from 5 to 130 is within what chance allows."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for found in lists:
        for peer in PEERS.values():
            rows = published.get((found["tasks"], peer))
            if rows and peer in found["policies"]:
                curve = found["policies"][peer]["curve_pct"]
                told.setdefault(found["tasks"], {})[peer] = _furthest(rows, curve, found["seeds"])
    return told


def _furthest(rows: list[dict[str, str]], curve: dict[str, float], seeds: int) -> dict[str, Any]:
    levels = [level for level in curve if level in rows[0] and int(level) >= FROM_LEVEL]
    theirs = np.array([[float(row[level]) for level in levels] for row in rows])
    points = np.abs(theirs.mean(axis=0) - np.array([curve[level] for level in levels]))
    deviation = theirs.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(len(levels))
    allowed = np.maximum(LEAST_POINTS, STANDARD_ERRORS * deviation * np.sqrt(1 / len(rows) + 1 / seeds))
    worst = int(points.argmax())
    return {
        "points": float(points[worst]),
        "level": int(levels[worst]),
        "allowed_points": float(allowed[worst]),
        "within": bool((points <= allowed).all()),
    }


def shown(told: dict[str, dict[str, dict[str, Any]]]) -> str:
    """One line a peer."""
    lines = ["peers against their published curves: points at the furthest level (what chance allows there)"]
    for name, peer in PEERS.items():
        cells = []
        for tasks, peers in told.items():
            if (one := peers.get(peer)) is not None:
                far = f"{one['points']:.2f} at {one['level']} ({one['allowed_points']:.2f})"
                cells.append(f"{tasks.removeprefix('openb_pod_list_')} {far}{'' if one['within'] else ' BEYOND'}")
        if cells:
            lines.append(f"  {name}: {', '.join(cells)}")
    return "\n".join([*lines, "  PWR: its authors published plots, no figures; nothing to compare with"])
