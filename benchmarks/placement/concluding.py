"""How a placement benchmark ends: its figures kept for a reader, or judged by its aims where its inputs allow that."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.placement import aims


def keep_option(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("--keep", type=Path, help="write the figures here as JSON and leave the judging to a reader")


def concluded(command: str, figures: Any, *, published: bool, output: str, keep: Path | None) -> int:
    """Exit status: 1 where the inputs are the published ones and an aim is missed.

    The aims are printed beside a table, and on the error stream beside JSON.
    """
    if keep is not None:
        keep.write_text(json.dumps({"command": command, "published": published, "figures": figures}), encoding="utf-8")
        return 0
    if not published:
        return 0
    rows = aims.OF[command](figures)
    print(f"\n{aims.shown(rows)}", file=sys.stderr if output == "json" else sys.stdout, flush=True)
    return 0 if all(row.met for row in rows) else 1


def kept(path: Path) -> list[aims.Aim] | None:
    """The aims of figures that a benchmark kept; None where its inputs were not the published ones."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return aims.OF[found["command"]](found["figures"]) if found["published"] else None
