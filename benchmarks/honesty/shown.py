"""The table of verdicts against the truth as text, and what each of its columns means. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.honesty.row import FALSE_BREACHED, FALSE_KEPT, UNEXPLAINED, UNPROBED, Row

COLUMNS = (
    "windows",
    "truly bad",
    "kept",
    "breached",
    "unverif.",
    "FALSE KEPT",
    "unprobed",
    "false br.",
    "noticed in",
    "after",
    "unnoticed",
    "burn calls in",
)
WIDTH = 14
MEANINGS = (
    ("truly bad", "windows in which users really missed the promise, beyond the measurement error"),
    ("FALSE KEPT", "of these, those that were called kept: must be 0"),
    ("unprobed", "kept wrongly as well, before the first probe met a tap that had begun to lie; how far into its lie"),
    ("false br.", "called breached where users clearly saw none; each is printed below with what explains it"),
    ("noticed in", "whole windows from the end of the first truly bad one until a verdict other than kept had settled"),
    ("after", "the same in seconds: somebody looks only so often, and a verdict may take more than one look"),
    ("unnoticed", "faults of which no verdict told, or none that had settled at the last look"),
    ("burn calls in", "from the same until the burn rates call for a remedy. Nothing is remedied in this table"),
)


def table(rows: Sequence[Row]) -> str:
    """Aligned text, one kind a line."""
    lines = [f"{'kind':<22}" + "".join(f"{name:>{WIDTH}}" for name in COLUMNS)]
    for row in rows:
        cells: list[int | str] = [row.windows, row.truly_bad, row.kept, row.breached, row.unverifiable, row.false_kept]
        cells += [_unprobed(row), row.false_breached]
        cells += [_at_most(row.detected_after_windows), _at_most_s(row.detected_after_ms), row.undetected]
        cells.append(_at_most(row.remedy_due_after_windows))
        lines.append(f"{row.kind:<22}" + "".join(f"{value!s:>{WIDTH}}" for value in cells))
    return "\n".join(lines)


def meanings(rows: Sequence[Row]) -> str:
    """What the columns say, with the bound of those windows that no probe could show yet."""
    most = max((row.unprobed_windows_max for row in rows), default=0)
    bounds = {"unprobed": f" (bound: {most} windows, one probe interval)"} if most else {}
    return "\n".join(f"  {name:<14}{said}{bounds.get(name, '')}" for name, said in MEANINGS)


def dishonest(rows: Sequence[Row]) -> list[str]:
    """One line for each way in which a kind fails: what was kept wrongly, and what was breached for no known reason."""
    found = []
    for row in rows:
        if row.false_kept:
            found.append(f"{row.kind}: {row.false_kept} windows were kept wrongly")
        elif not row.honest:
            found.append(
                f"{row.kind}: kept wrongly up to window {max(row.unprobed)} of a lie that no probe met; "
                f"the bound is {row.unprobed_windows_max}"
            )
        if row.unexplained_breached:
            found.append(f"{row.kind}: {row.unexplained_breached} windows were breached wrongly, {UNEXPLAINED}")
    return found


def wrong(rows: Sequence[Row]) -> list[str]:
    """Each window that was judged wrongly, with its details."""
    return [
        f"{name} {row.kind}: {told}"
        for name in (FALSE_KEPT, UNPROBED, FALSE_BREACHED)
        for row in rows
        for told in row.examples.get(name, [])
    ]


def _unprobed(row: Row) -> str:
    return f"{len(row.unprobed)} (<= {max(row.unprobed)})" if row.unprobed else "0"


def _at_most(windows: Sequence[int]) -> str:
    return f"<= {max(windows)} win." if windows else "-"


def _at_most_s(durations_ms: Sequence[int]) -> str:
    return f"<= {max(durations_ms) / 1000:.1f} s" if durations_ms else "-"
