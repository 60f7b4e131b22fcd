"""Command line: `python -m benchmarks.calibration [--contracts 100] [-o json]`. Exits 1 when too little was kept."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks.home import BenchmarkError, machine_now
from benchmarks.over_trials import Schedule, add_arguments, run
from benchmarks.rounds import Round
from benchmarks.shares import Count, Share, bar, bounds_held, share_of

SHARES = (0.5, 0.75, 0.9)
CONFIDENCE = 0.75


def line(one: Round) -> str:
    """One contract as it is told."""
    kept = ", ".join(f"{c.promise} kept {c.within}/{c.windows}" for c in one.served)
    why = f" ({one.message})" if one.message else ""
    share = f"share {one.assurance.share:.0%}"
    return f"{share}, {one.shape}, neighbours {one.beside}: {one.outcome}{why}  {kept}  {one.seconds:.1f} s"


def reliability(rounds: Sequence[Round]) -> dict[tuple[float, str], Share]:
    """By promised share and promise: windows kept of those judged."""
    rows: dict[tuple[float, str], dict[int, list[Count]]] = {}
    for one in rounds:
        for count in one.served:
            of_row = rows.setdefault((one.assurance.share, count.promise), {})
            of_row.setdefault(one.trial, []).append(count)
    return {key: share_of(found, key[0]) for key, found in sorted(rows.items())}


def of_bounds(rounds: Sequence[Round]) -> dict[float, Share]:
    """By promised share: how many bounds kept it. A bound is one trial's, of one shape and promise."""
    bounds: dict[float, dict[tuple[int, object], list[Count]]] = {}
    for one in rounds:
        for count in one.served:
            of_share = bounds.setdefault(one.assurance.share, {})
            of_share.setdefault((one.trial, (one.shape, count.promise)), []).append(count)
    confidence = rounds[0].assurance.confidence
    return {share: bounds_held(found, share, confidence) for share, found in sorted(bounds.items())}


def table(windows: dict[tuple[float, str], Share], bounds: dict[float, Share]) -> Table:
    """The reliability diagram: windows beside the share promised, bounds beside the confidence stated."""
    shown = Table(box=None, header_style="dim", pad_edge=False)
    heads = ("", "stated", "kept  [90 % interval]", "of", "0 %   ┃ stated  ● kept       100 %", "")
    for name in heads:
        shown.add_column(name, no_wrap=True)
    for (stated, promise), share in windows.items():
        shown.add_row(f"windows, {promise}", f"≥ {stated:.0%}", share.text, str(share.windows), bar(share), share.words)
    shown.add_section()
    for stated, share in bounds.items():
        words = f"bounds on a share of {stated:.0%}"
        shown.add_row(words, f"≥ {share.stated:.0%}", share.text, str(share.windows), bar(share), share.words)
    return shown


def contracts_kept(rounds: Sequence[Round]) -> tuple[int, int]:
    """Contracts of which every promise kept its share over the contract's own few windows, of those judged."""
    judged = [[c for c in one.served if c.windows] for one in rounds]
    kept = sum(
        bool(counts) and all(c.within >= one.assurance.share * c.windows for c in counts)
        for one, counts in zip(rounds, judged, strict=True)
    )
    return kept, sum(bool(counts) for counts in judged)


def main() -> int:
    """Make the contracts, run them, and compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--contracts", type=int, default=100)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--windows", type=int, default=6, help="windows that each is held under load")
    parser.add_argument("--confidence", type=float, default=CONFIDENCE)
    add_arguments(parser)
    wanted = parser.parse_args()
    notes = Console(stderr=True, highlight=False)
    begun, before = time.monotonic(), machine_now()
    limit = wanted.minutes * 60 if wanted.minutes else None
    trials = min(wanted.trials, wanted.contracts)
    schedule = Schedule(
        "calibration", wanted.contracts, trials, SHARES, wanted.confidence, max(1, wanted.windows), limit
    )
    try:
        rounds = run(schedule, notes, line)
    except BenchmarkError as error:
        notes.print(f"error: {error}", markup=False)
        return 7
    active = sum(one.outcome == "Active" for one in rounds)
    kept, judged = contracts_kept(rounds)
    unverifiable = sum((Counter(one.unverifiable) for one in rounds), Counter())
    windows, bounds, took = reliability(rounds), of_bounds(rounds), time.monotonic() - begun
    trials = len({one.trial for one in rounds})
    document = {
        "benchmark": "calibration",
        "machine": before,
        "seconds": took,
        "trials": trials,
        "confidence": wanted.confidence,
        "contractsActive": active,
        "contractsKept": {"kept": kept, "of": judged},
        "reliability": [{"share": key[0], "promise": key[1]} | asdict(share) for key, share in windows.items()],
        "bounds": [{"share": share} | asdict(found) for share, found in bounds.items()],
        "unverifiable": dict(unverifiable),
        "contracts": [asdict(one) for one in rounds],
    }
    if wanted.save:
        wanted.save.write_text(json.dumps(document, indent=2) + "\n")
    if wanted.output == "json":
        print(json.dumps(document, indent=2))
    else:
        screen = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
        screen.print(table(windows, bounds))
        screen.print(
            f"{active} of {len(rounds)} contracts became Active; {kept} of {judged} kept every promise over their own "
            f"few windows"
        )
        reasons = ", ".join(f"{reason} {count}" for reason, count in unverifiable.most_common()) or "none"
        screen.print(f"[dim]not judged: {reasons}; {trials} trial(s), took {took:.0f} s[/]")
    return 1 if any(share.contradicted for share in (*windows.values(), *bounds.values())) else 0


if __name__ == "__main__":
    sys.exit(main())
