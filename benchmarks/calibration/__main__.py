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

from benchmarks.home import BenchmarkError, home, machine_now, need_model
from benchmarks.rounds import MODEL, Assurance, Count, Round, Share, measured, one_round, share_of
from tenure.promises import binomial_interval

SHARES = (0.5, 0.75, 0.9)
CONFIDENCE = 0.75
BAR_CELLS = 30


def contracts_of(count: int, trials: int, windows: int, confidence: float, notes: Console) -> list[Round]:
    """So many contracts over so many trials, each trial in a home of its own: contracts of one trial share its luck."""
    need_model(MODEL)
    found: list[Round] = []
    most = Assurance(max(SHARES), confidence)
    for trial in range(trials):
        of_trial = range(trial, count, trials)
        with (
            notes.status(f"trial {trial + 1} of {trials}") as status,
            home("calibration") as own,
            measured(own, most, lambda words, at=trial + 1: status.update(f"trial {at}: {words}")) as ground,  # type: ignore[misc]
        ):
            for number in range(len(of_trial)):

                def tell(words: str, at: int = len(found) + 1) -> None:
                    status.update(f"contract {at} of {count}: {words}")

                assurance = Assurance(SHARES[number % len(SHARES)], confidence)
                try:
                    found.append(one_round(ground, number, assurance, windows, tell))
                except KeyboardInterrupt:  # what was seen so far is shown
                    return found
                notes.print(line(len(found), found[-1]), markup=False, soft_wrap=True)
    return found


def line(number: int, one: Round) -> str:
    """One contract as it is told."""
    kept = ", ".join(f"{c.promise} kept {c.within}/{c.windows}" for c in one.served)
    why = f" ({one.message})" if one.message else ""
    return (
        f"  {number:>3}  share {one.assurance.share:.0%}  {one.shape}, neighbours {one.beside}: "
        f"{one.outcome}{why}  {kept}  {one.seconds:.1f} s"
    )


def reliability(rounds: Sequence[Round]) -> dict[tuple[float, str], Share]:
    """By promised share and promise: windows kept of those judged."""
    counts: dict[tuple[float, str], list[Count]] = {}
    for one in rounds:
        for count in one.served:
            counts.setdefault((one.assurance.share, count.promise), []).append(count)
    return {key: share_of(found, key[0]) for key, found in sorted(counts.items())}


def bar(share: Share) -> str:
    """The share as a bar, its interval as a line, what was promised as a mark."""
    if not share.windows:
        return ""

    def cell(value: float) -> int:
        return min(BAR_CELLS - 1, int(value * BAR_CELLS))

    cells = ["·"] * BAR_CELLS
    for at in range(cell(share.low), cell(share.high) + 1):
        cells[at] = "─"
    cells[cell(share.within / share.windows)] = "●"
    if cells[cell(share.stated)] != "●":
        cells[cell(share.stated)] = "┃"
    return "".join(cells)


def table(rounds: Sequence[Round]) -> Table:
    """The reliability table with its diagram."""
    shown = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("promise", "promised", "kept  [90 % interval]", "windows", "0 %  ┃ promised  ● kept      100 %", ""):
        shown.add_column(name, no_wrap=True)
    for (stated, promise), share in reliability(rounds).items():
        shown.add_row(promise, f"≥ {stated:.0%}", share.text, str(share.windows), bar(share), share.words)
    return shown


def contracts_kept(rounds: Sequence[Round]) -> tuple[int, int]:
    """Promises of contracts that kept at least the share promised, of those with a judged window."""
    judged = [(count, one.assurance.share) for one in rounds for count in one.served if count.windows]
    return sum(count.within / count.windows >= share for count, share in judged), len(judged)


def main() -> int:
    """Make the contracts, run them, and compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--contracts", type=int, default=100)
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--windows", type=int, default=10, help="windows that each is held under load")
    parser.add_argument("--confidence", type=float, default=CONFIDENCE)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    wanted = parser.parse_args()
    notes = Console(stderr=True, highlight=False)
    begun, before = time.monotonic(), machine_now()
    try:
        rounds = contracts_of(wanted.contracts, wanted.trials, wanted.windows, wanted.confidence, notes)
    except BenchmarkError as error:
        notes.print(f"error: {error}", markup=False)
        return 7
    active = [one for one in rounds if one.outcome == "Active"]
    kept, judged = contracts_kept(rounds)
    low, high = binomial_interval(kept, judged, 0.9)
    unverifiable = sum((Counter(one.unverifiable) for one in rounds), Counter())
    shares, took = reliability(rounds), time.monotonic() - begun
    if wanted.output == "json":
        document = {
            "benchmark": "calibration",
            "machine": before,
            "seconds": took,
            "trials": wanted.trials,
            "confidence": wanted.confidence,
            "promisesKept": {"kept": kept, "of": judged, "low": low, "high": high},
            "reliability": [{"share": key[0], "promise": key[1]} | asdict(share) for key, share in shares.items()],
            "unverifiable": dict(unverifiable),
            "contracts": [asdict(one) for one in rounds],
        }
        print(json.dumps(document, indent=2))
    else:
        screen = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
        screen.print(table(rounds))
        screen.print(
            f"{len(active)} of {len(rounds)} contracts became Active; of their promises {kept} of {judged} kept their "
            f"share over their own windows [{low:.0%}, {high:.0%}]"
        )
        reasons = ", ".join(f"{reason} {count}" for reason, count in unverifiable.most_common()) or "none"
        screen.print(f"[dim]not judged: {reasons}; {wanted.trials} trial(s), took {took:.0f} s[/]")
    return 1 if any(share.windows and share.high < share.stated for share in shares.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
