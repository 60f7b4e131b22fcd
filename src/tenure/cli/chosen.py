"""Why an offer is as it is, as people read it: its size, the weights that chose, preferences that were not kept."""

from collections.abc import Iterable

from rich.table import Table

from tenure.cli.words import percent
from tenure.resources.kinds.answer import Chosen, Size, Unkept


def add_chosen(rows: Table, chosen: Chosen) -> None:
    """Rows for why it is this way."""
    for size in chosen.sizes:
        rows.add_row("size", _size_text(size))
    if chosen.scores:
        when = "" if chosen.taken is None else f", {percent(chosen.taken)} taken"
        weights = " + ".join(f"{score.weight:g} x {score.score}" for score in chosen.scores)
        rows.add_row("chosen by", f"the least {weights}{when}")
    add_unkept(rows, chosen.unmet)


def add_unkept(rows: Table, unmet: Iterable[Unkept]) -> None:
    """Rows for preferences that were not kept."""
    for one in unmet:
        rows.add_row("not kept", _unkept_text(one))


def _unkept_text(one: Unkept) -> str:
    """actors: numaDistance, which was preferred; asked: at most 10, found: 20"""
    whose = f"{one.role}: " if one.role else ""
    return f"{whose}{one.preference}, which was preferred; asked: {one.asked}, found: {one.found}"


def _size_text(size: Size) -> str:
    """6 of 2 to 8 members (worth 14); for 8 (worth 15): devices:gpu: 64 devices needed, ..."""
    whose = f"{size.role}: " if size.role else ""
    said = f"{whose}{size.members} of {size.members_min} to {size.members_max} members{_worth(size.value)}"
    larger = size.next_size
    return said if larger is None else f"{said}; for {larger.members}{_worth(larger.value)}: {larger.needs.message}"


def _worth(value: int | None) -> str:
    return "" if value is None else f" (worth {value})"
