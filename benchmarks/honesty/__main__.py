"""Command line of the honesty benchmark.

Exits 1 when `Kept` was said wrongly, a lie lasted unprobed too long, or a false breach has no explanation.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.honesty import remedied, virtual
from benchmarks.honesty.aims import AIMS, WINDOW_MS
from benchmarks.honesty.faults import KINDS
from benchmarks.honesty.row import Row
from benchmarks.honesty.shown import dishonest, meanings, table, wrong

REMEDIED_MINUTES = 3


def say(rows: list[Row]) -> None:
    """The table, what its columns mean, and the reasons behind it."""
    print(table(rows))
    print(meanings(rows))
    for row in rows:
        print(f"  {row.kind}: " + (", ".join(f"{k} {v}" for k, v in sorted(row.reasons.items())) or "all kept"))


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.honesty")
    parser.add_argument("--windows", type=int, default=300, help="windows a kind in the virtual part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", help="only this kind")
    parser.add_argument("--real", type=Path, help="a GGUF model: run the real part, too")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--remedied",
        type=float,
        metavar="MINUTES",
        help=f"disturb a contract of a whole control plane so long, too ({REMEDIED_MINUTES} with --real, else 0)",
    )
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    kinds = [kind for kind in KINDS if wanted.kind in (None, kind.name)]
    rows: list[Row] = []
    for aim in AIMS:
        found = [virtual.run(kind, wanted.windows, wanted.seed, aim) for kind in kinds]
        name = aim.promise.name
        print(f"virtual part, {name}: {WINDOW_MS / 1000:g} s windows under virtual clocks, seed {wanted.seed}")
        say(found)
        # The first aim's rows keep the names of their kinds; those of others say whose they are.
        rows += found if aim is AIMS[0] else [replace(row, kind=f"{row.kind}, {name}") for row in found]
    if wanted.real is not None:
        from benchmarks.honesty import real, real_stage

        found = real.run(wanted.real, wanted.minutes)
        rows += found
        print(f"real part: {wanted.minutes:g} minutes, {real_stage.WINDOW_MS / 1000:g} s windows, {wanted.real.name}")
        say(found)
    mended: list[remedied.Mended] = []
    minutes = (REMEDIED_MINUTES if wanted.real else 0) if wanted.remedied is None else wanted.remedied
    if minutes:
        with tempfile.TemporaryDirectory() as folder:
            mended = remedied.run(Path(folder), minutes)
        print(f"remedied part: {minutes:g} minutes of a real contract, {remedied.WINDOW_MS / 1000:g} s windows")
        print(remedied.table(mended))
    else:
        print(
            "How long remedies take was not measured: --remedied MINUTES does, on a real contract of a control plane."
        )
    if wanted.json:
        found_all = {"rows": [asdict(row) for row in rows], "remedied": [asdict(row) for row in mended]}
        wanted.json.write_text(json.dumps({"benchmark": "honesty"} | found_all))
    failed = dishonest(rows)
    for line in failed:
        print(f"FAILED {line}")
    for line in wrong(rows):
        print(f"  {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
