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

from benchmarks.home import BenchmarkError, home, machine_now, need_model
from benchmarks.rounds import MODEL, Assurance, Round, Share, measured, one_round, share_of
from tenure.promises import binomial_interval

SHARE, CONFIDENCE = 0.75, 0.75


def rounds_of(count: int, assurance: Assurance, notes: Console) -> list[Round]:
    """One home, one trial, so many rounds, each told as it ends."""
    need_model(MODEL)
    found: list[Round] = []
    with (
        notes.status("starting a control plane of its own") as status,
        home("offers") as own,
        measured(own, assurance, lambda words: status.update(f"trial: {words}")) as ground,
    ):
        for number in range(count):

            def tell(words: str, at: int = number + 1) -> None:
                status.update(f"round {at} of {count}: {words}")

            try:
                found.append(one_round(ground, number, assurance, 0, tell))
            except KeyboardInterrupt:  # what was seen so far is shown
                break
            notes.print(line(found[-1]), markup=False, soft_wrap=True)
    return found


def line(one: Round) -> str:
    """One round as it is told."""
    counts = ", ".join(f"{c.promise} {c.within}/{c.windows} within {c.bound_ms:g} ms" for c in one.commissioned)
    why = f" ({one.message})" if one.message and not counts else ""
    where = f"{one.number + 1:>3}  {one.shape}, neighbours {one.beside}"
    return f"{where}: {one.outcome}{why}  {counts}  {one.seconds:.1f} s"


def by_shape(rounds: Sequence[Round]) -> dict[tuple[str, str, str], Share]:
    """The share of windows within the bound, by shape, neighbours and promise."""
    counts: dict[tuple[str, str, str], list] = {}  # type: ignore[type-arg]
    for one in rounds:
        for count in one.commissioned:
            counts.setdefault((one.shape, one.beside, count.promise), []).append(count)
    return {key: share_of(found, rounds[0].assurance.share) for key, found in sorted(counts.items())}


def table(rounds: Sequence[Round]) -> Table:
    """One line a shape, neighbours and promise."""
    shown = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("shape", "neighbours", "promise", "windows", "within the bound  [90 % interval]", "stated", ""):
        shown.add_column(name, no_wrap=True)
    assurance = rounds[0].assurance
    for (shape, beside, promise), share in by_shape(rounds).items():
        stated = f"≥ {assurance.share:.0%} at {assurance.confidence:.0%}"
        shown.add_row(shape, beside, promise, str(share.windows), share.text, stated, share.words)
    return shown


def main() -> int:
    """Run the rounds and show what came of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.offers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--share", type=float, default=SHARE)
    parser.add_argument("--confidence", type=float, default=CONFIDENCE)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    wanted = parser.parse_args()
    notes = Console(stderr=True, highlight=False)
    begun, before = time.monotonic(), machine_now()
    try:
        rounds = rounds_of(wanted.rounds, Assurance(wanted.share, wanted.confidence), notes)
    except BenchmarkError as error:
        notes.print(f"error: {error}", markup=False)
        return 7
    # A commissioning that ended before it measured anything failed as well.
    accepted = [one for one in rounds if one.commissioned or one.outcome == "CommissioningFailed"]
    failed = [one for one in accepted if one.outcome != "Active"]
    low, high = binomial_interval(len(failed), len(accepted), 0.9)
    shares = by_shape(rounds)
    took = time.monotonic() - begun
    if wanted.output == "json":
        print(json.dumps({
            "benchmark": "offers", "machine": before, "seconds": took,
            "failedCommissionings": {"failed": len(failed), "of": len(accepted), "low": low, "high": high},
            "shapes": [dict(zip(("shape", "neighbours", "promise"), key, strict=True)) | asdict(share)
                       for key, share in shares.items()],
            "rounds": [asdict(one) for one in rounds],
        }, indent=2))  # fmt: skip
    else:
        screen = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
        screen.print(table(rounds))
        screen.print(
            f"{len(accepted)} of {len(rounds)} rounds were commissioned; {len(failed)} commissionings failed "
            f"[{low:.0%}, {high:.0%}]"
        )
        screen.print(f"[dim]all shapes rest on one trial; took {took:.0f} s, load average {before['loadAverage']}[/]")
    return 1 if any(share.windows and share.high < share.stated for share in shares.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
