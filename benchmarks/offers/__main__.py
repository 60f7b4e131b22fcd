"""Command line: `python -m benchmarks.offers [--rounds 60] [-o json]`. Exits 1 when offers promised too much."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks.home import BenchmarkError, machine_now
from benchmarks.over_trials import Schedule, add_arguments, run
from benchmarks.rounds import Round
from benchmarks.shares import INTERVAL, Count, Share, bar, bounds_held, share_of
from tenure.promises import binomial_interval

SHARE, CONFIDENCE = 0.75, 0.75
KEY = ("shape", "neighbours", "promise")
Row = tuple[str, str, str]


def line(one: Round) -> str:
    """One round as it is told."""
    counts = ", ".join(f"{c.promise} {c.within}/{c.windows} within {c.bound_ms:g} ms" for c in one.commissioned)
    why = f" ({one.message})" if one.message and not counts else ""
    return f"{one.shape}, neighbours {one.beside}: {one.outcome}{why}  {counts}  {one.seconds:.1f} s"


def by_shape(rounds: Sequence[Round]) -> dict[Row, Share]:
    """The share of windows within the bound, by shape, neighbours and promise."""
    rows: dict[Row, dict[int, list[Count]]] = {}
    for one in rounds:
        for count in one.commissioned:
            of_row = rows.setdefault((one.shape, one.beside, count.promise), {})
            of_row.setdefault(one.trial, []).append(count)
    return {key: share_of(found, rounds[0].assurance.share) for key, found in sorted(rows.items())}


def of_bounds(rounds: Sequence[Round]) -> Share:
    """How many bounds kept their share. A bound is one trial's, of one shape and promise, whoever was beside it."""
    bounds: dict[tuple[int, object], list[Count]] = {}
    for one in rounds:
        for count in one.commissioned:
            bounds.setdefault((one.trial, (one.shape, count.promise)), []).append(count)
    return bounds_held(bounds, rounds[0].assurance.share, rounds[0].assurance.confidence)


def table(rows: dict[Row, Share]) -> Table:
    """One line a shape, neighbours and promise."""
    shown = Table(box=None, header_style="dim", pad_edge=False)
    for name in (*KEY, "windows", "within the bound  [90 % interval]", "0 %   ┃ stated  ● within     100 %", ""):
        shown.add_column(name, no_wrap=True)
    for key, share in rows.items():
        shown.add_row(*key, str(share.windows), share.text, bar(share), share.words)
    return shown


def main() -> int:
    """Run the rounds and show what came of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.offers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--share", type=float, default=SHARE)
    parser.add_argument("--confidence", type=float, default=CONFIDENCE)
    add_arguments(parser)
    wanted = parser.parse_args()
    notes = Console(stderr=True, highlight=False)
    begun, before = time.monotonic(), machine_now()
    limit = wanted.minutes * 60 if wanted.minutes else None
    schedule = Schedule(
        "offers", wanted.rounds, min(wanted.trials, wanted.rounds), (wanted.share,), wanted.confidence, 0, limit
    )
    try:
        rounds = run(schedule, notes, line)
    except BenchmarkError as error:
        notes.print(f"error: {error}", markup=False)
        return 7
    # A commissioning that ended before it measured anything failed as well.
    accepted = [one for one in rounds if one.commissioned or one.outcome == "CommissioningFailed"]
    failed = [one for one in accepted if one.outcome != "Active"]
    low, high = binomial_interval(len(failed), len(accepted), INTERVAL)
    rows, bounds = by_shape(rounds), of_bounds(rounds)
    took, trials = time.monotonic() - begun, len({one.trial for one in rounds})
    document = {
        "benchmark": "offers",
        "machine": before,
        "seconds": took,
        "trials": trials,
        "failedCommissionings": {"failed": len(failed), "of": len(accepted), "low": low, "high": high},
        "bounds": asdict(bounds),
        "shapes": [dict(zip(KEY, key, strict=True)) | asdict(share) for key, share in rows.items()],
        "rounds": [asdict(one) for one in rounds],
    }
    if wanted.save:
        wanted.save.write_text(json.dumps(document, indent=2) + "\n")
    if wanted.output == "json":
        print(json.dumps(document, indent=2))
    else:
        screen = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
        screen.print(table(rows))
        screen.print(
            f"stated: at least {wanted.share:.0%} of the windows, at a confidence of {wanted.confidence:.0%}. "
            f"{bounds.within} of {bounds.windows} bounds held their share: {bounds.text}, {bounds.words}"
        )
        screen.print(
            f"{len(accepted)} of {len(rounds)} rounds were commissioned; {len(failed)} commissionings failed "
            f"[{low:.0%}, {high:.0%}]"
        )
        screen.print(f"[dim]{trials} trial(s); took {took:.0f} s, load average {before['loadAverage']}[/]")
    return 1 if bounds.contradicted or any(share.contradicted for share in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
