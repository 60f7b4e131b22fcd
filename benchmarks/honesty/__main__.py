"""Command line of the honesty benchmark; exits 1 when `Kept` was said wrongly."""

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


def table(rows: list[Row]) -> str:
    """Aligned text, one kind a line."""
    columns = (
        "windows",
        "truly bad",
        "kept",
        "breached",
        "unverif.",
        "FALSE KEPT",
        "unprobed",
        "false br.",
        "detected",
        "remedy due",
    )
    lines = [f"{'kind':<22}" + "".join(f"{name:>12}" for name in columns)]
    for row in rows:
        detected, due = (_at_most(one) for one in (row.detected_after_windows, row.remedy_due_after_windows))
        figures = (row.windows, row.truly_bad, row.kept, row.breached, row.unverifiable)
        figures += (row.false_kept, row.unprobed, row.false_breached)
        lines.append(f"{row.kind:<22}" + "".join(f"{value:>12}" for value in figures) + f"{detected:>15}{due:>15}")
    return "\n".join(lines)


def _at_most(windows: list[int]) -> str:
    return f"<= {max(windows)} windows" if windows else "-"


def say(rows: list[Row]) -> None:
    """The table, and the reasons behind it."""
    print(table(rows))
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
        "--remedied", type=float, metavar="MINUTES", help="disturb a contract of a whole control plane so long, too"
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
        from benchmarks.honesty import real

        found = real.run(wanted.real, wanted.minutes)
        rows += found
        print(f"real part: {wanted.minutes:g} minutes, {real.WINDOW_MS / 1000:g} s windows, {wanted.real.name}")
        say(found)
    mended: list[remedied.Mended] = []
    if wanted.remedied:
        with tempfile.TemporaryDirectory() as folder:
            mended = remedied.run(Path(folder), wanted.remedied)
        print(f"remedied part: {wanted.remedied:g} minutes of a real contract, {remedied.WINDOW_MS / 1000:g} s windows")
        print(remedied.table(mended))
    if wanted.json:
        found_all = {"rows": [asdict(row) for row in rows], "remedied": [asdict(row) for row in mended]}
        wanted.json.write_text(json.dumps({"benchmark": "honesty"} | found_all))
    return 1 if any(row.false_kept for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
