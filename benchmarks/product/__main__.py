"""Command line: `python -m benchmarks.product [-o json] [--only NAME]`. Exits 1 when an aim is not met."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks import tap
from benchmarks.home import BenchmarkError, home, machine_now, need_model
from benchmarks.product.asking import asking
from benchmarks.product.figures import Figure, shown
from benchmarks.product.idling import idling
from benchmarks.product.starts import starts
from benchmarks.product.writes import writes

MODEL = "smollm2-135m-instruct"
TAP_REQUESTS, TAP_ROUNDS = 100, 2
PARTS = ("idle", "starts", "writes", "inquiry", "tap")


def measure(parts: Sequence[str], tell: Callable[[str], None]) -> Iterable[Figure]:
    """Every part that is wanted. Idling comes first, on a home where nothing has happened yet."""
    if "inquiry" in parts:
        need_model(MODEL)
    if set(parts) - {"tap"}:
        tell("starting a control plane of its own")
        with home("bench") as own:
            if "idle" in parts:
                yield from idling(own, lambda words: tell(f"idle: {words}"))
            if "starts" in parts:
                tell("starting commands")
                yield from starts(own)
            if "writes" in parts:
                tell("writing durably")
                yield from writes(own)
            if "inquiry" in parts:
                yield from asking(own, lambda words: tell(f"inquiry: {words}"))
    if "tap" in parts:
        tell("the tap, the direct way and a plain pass-through, in turn")
        yield from the_tap()


def the_tap() -> Iterable[Figure]:
    """The two figures of benchmarks/tap.py that were asked for; it prints more by itself."""
    ways = {way.name: way for way in tap.measure(TAP_REQUESTS, TAP_ROUNDS)}
    ours, direct, peer = ways["tap"], ways["direct"], ways["starlette"]
    yield Figure(
        "tap, added to the first token, p50",
        ours.added_first_token_ms_p50,
        "ms",
        note=f"first token {direct.first_token_ms_p50:.1f} ms directly; a pass-through that measures nothing adds "
        f"{peer.added_first_token_ms_p50:.1f} ms",
    )
    yield Figure(
        "tap, CPU for 1,000 tokens",
        ours.cpu_ms_per_1000_tokens or 0.0,
        "ms",
        note=f"the plain pass-through: {shown(peer.cpu_ms_per_1000_tokens, 'ms')}",
    )


def table(figures: Sequence[Figure]) -> Table:
    """One line a figure."""
    shape = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("what", "measured", "aim", "", "times its floor", "more"):
        numeric = name in ("measured", "aim")
        shape.add_column(name, justify="right" if numeric else "left", no_wrap=name != "more")
    marks = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{shown(figure.ratio)} × {figure.floor_name}"
        aim = "" if figure.aim is None else f"≤ {shown(figure.aim, figure.unit)}"
        shape.add_row(
            figure.name, shown(figure.value, figure.unit), aim, marks[figure.met], ratio, f"[dim]{figure.note}[/]"
        )
    return shape


def main() -> int:
    """Measure, show, and say which aims are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.product", description=__doc__)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be said again")
    wanted = parser.parse_args()
    begun = time.monotonic()
    notes = Console(stderr=True, highlight=False)
    before = machine_now()
    try:
        with notes.status("starting") as status:
            figures = list(measure(wanted.only or PARTS, status.update))
    except BenchmarkError as error:
        notes.print(f"error: {error}", markup=False)
        return 7
    took = time.monotonic() - begun
    missed = [figure.name for figure in figures if figure.met is False]
    if wanted.output == "json":
        document = {
            "benchmark": "product",
            "machine": before,
            "seconds": took,
            "figures": [f.to_json() for f in figures],
        }
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        screen = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
        screen.print(table(figures))
        aims = sum(figure.met is not None for figure in figures)
        screen.print(f"{aims - len(missed)} of {aims} aims met" + (f"; not met: {', '.join(missed)}" if missed else ""))
        loads = ", ".join(map(str, before["loadAverage"]))  # type: ignore[call-overload]
        screen.print(f"[dim]{before['cpus']} CPUs, load average {loads} at the start; took {took:.0f} s[/]")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
