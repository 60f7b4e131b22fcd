"""Tables that fit the screen: the widest columns give way first, words stay whole while that is possible. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

FOLDED_CELLS = 8
"""Where even words do not fit, no column is folded below this."""
GAP, RULED_GAP = 2, 3  # the ruled one begins and ends with a blank as well
"""Cells between the texts of two columns."""


@dataclass(frozen=True, slots=True)
class WordTable:
    """Headings over rows, for `Console.print`: nothing is ever cut, what does not fit goes on in the line below."""

    headings: Sequence[str]
    rows: "Sequence[Sequence[str | Text]]"
    title: str | None = None
    ruled: bool = True

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """The table at the width that there is."""
        from rich import box
        from rich.table import Table

        columns = list(zip(self.headings, *(map(str, row) for row in self.rows), strict=True))
        between = RULED_GAP * len(columns) - 1 if self.ruled else GAP * (len(columns) - 1)
        look: dict[str, Any] = {"box": box.SIMPLE_HEAD, "padding": (0, 1), "show_edge": False}
        if not self.ruled:
            look = {"box": None, "padding": (0, GAP, 0, 0), "pad_edge": False}
        table = Table(title=self.title, title_justify="left", header_style="bright_black", **look)
        room = options.max_width - between
        for heading, width in zip(self.headings, widths(columns, room, fold=True), strict=True):
            table.add_column(heading, width=width, overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        yield table


def widths(columns: Sequence[Sequence[str]], room: int, *, fold: bool = False) -> list[int]:
    """How wide each column may be so that all fit into `room`, which is in characters and without what lies between.

    Where the longest words do not: with `fold` those are broken too, else every column is as wide as its widest cell.
    """
    natural = [max(len(cell) for cell in column) for column in columns]
    found = list(natural)
    words = [max((len(word) for cell in column for word in cell.split()), default=0) for column in columns]
    for least in (words, [FOLDED_CELLS] * len(columns)) if fold else (words,):
        while sum(found) > room:
            able = [index for index, width in enumerate(found) if width > least[index]]
            if not able:
                break
            found[max(able, key=found.__getitem__)] -= 1
    return natural if sum(found) > room and not fold else found
