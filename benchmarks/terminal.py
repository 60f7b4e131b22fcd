"""A terminal's last state from what was written to it: colours stay, lines that were drawn over are gone.

Enough of ECMA-48 for what rich writes: new lines, carriage returns, cursor up and to a column, erasing, colours. Other
sequences are dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rich.cells import cell_len

_PARTS = re.compile(
    r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\r\n]|[^\x1b\r\n]+", re.DOTALL
)
Cell = tuple[str, str]
"""A character and the colour codes that hold for it; an empty character stands behind one of double width."""
BLANK: Cell = (" ", "")


@dataclass
class Terminal:
    """Lines of cells, so wide, and a cursor."""

    width: int = 100
    lines: list[list[Cell]] = field(default_factory=lambda: [[]])
    row: int = 0
    column: int = 0
    style: str = ""

    def write(self, text: str) -> None:
        """Take in what a program wrote."""
        for part in _PARTS.finditer(text):
            if part.group(2):
                self._control(part.group(1), part.group(2))
            elif part.group() == "\n":
                self._to(self.row + 1, 0)
            elif part.group() == "\r":
                self.column = 0
            elif not part.group().startswith("\x1b"):
                for character in part.group():
                    self._put(character)

    def ansi_lines(self) -> list[str]:
        """Each line with its colours and without trailing blanks."""
        return [_ansi(line) for line in self.lines]

    def _put(self, character: str) -> None:
        width = cell_len(character)
        if self.column + width > self.width:  # only now: a line that just fills the width ends with its own new line
            self._to(self.row + 1, 0)
        line = self.lines[self.row]
        line += [BLANK] * (self.column + width - len(line))
        for at in range(width):
            line[self.column + at] = (character if at == 0 else "", self.style)
        self.column += width

    def _to(self, row: int, column: int) -> None:
        self.row, self.column = max(0, row), max(0, column)
        self.lines += [[] for _ in range(self.row + 1 - len(self.lines))]

    def _control(self, arguments: str, letter: str) -> None:
        if letter == "m":
            reset = arguments in ("", "0")
            self.style = "" if reset else self.style + f"\x1b[{arguments}m"
            return
        if arguments.startswith("?"):
            return
        count = int(arguments.split(";")[0] or 0)
        if letter == "A":
            self._to(self.row - max(1, count), self.column)
        elif letter == "B":
            self._to(self.row + max(1, count), self.column)
        elif letter == "G":
            self.column = max(0, count - 1)
        elif letter == "K":
            line = self.lines[self.row]
            self.lines[self.row] = [] if count == 2 else line[: self.column] if count == 0 else line
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1 :]


def _ansi(line: list[Cell]) -> str:
    while line and line[-1][0] == " ":
        line = line[:-1]
    shown, style = "", ""
    for character, wanted in line:
        if wanted != style:
            shown += "\x1b[0m" + wanted
            style = wanted
        shown += character
    return (shown + ("\x1b[0m" if style else "")).rstrip()
