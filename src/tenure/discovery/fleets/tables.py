"""Tables: comma-separated text with a header, read so that every error names file, row and column.

A row is counted as an editor counts lines: the header is line 1.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tenure.resources.problems import Problem, ProblemsFound
from tenure.resources.spelling import did_you_mean

PROBLEMS_MAX = 20
"""A file of another sort has as many problems as rows; nobody reads them all."""

WHOLE_MAX = 10**12
"""Beyond any count, any number of MiB and any second of a trace. In bytes or ms it fits in 64 bits; a product of two
such may not."""

CORES_MAX, DEVICES_MAX, NODES_MAX = 100_000, 10_000, 1024
"""Of one machine, far beyond any that is built; each is made, and more would take the memory of this one. Linux numbers
no more NUMA nodes."""

MEMBERS_MAX = 10**6
"""Of one gang, ten times the largest that is known to have run."""


@dataclass(slots=True)
class Cells:
    """One row: its line in the file, and its cells by column. What is wrong is collected, not raised."""

    line: int
    values: Mapping[str, str]
    table: Table

    def text(self, column: str, otherwise: str = "") -> str:
        """The cell as text; `otherwise` where it is empty or the table has no such column."""
        return self.values.get(column, "") or otherwise

    def whole(
        self,
        column: str,
        otherwise: int | None = None,
        *,
        least: int = 0,
        most: int = WHOLE_MAX,
        until: str | None = None,
    ) -> int:
        """The cell as a whole number from `least` to `most`; `otherwise` (if given) where it is empty. `until`: what
        ends the number, where more may follow."""
        text = self.values.get(column, "")
        text = text.partition(until)[0] if until else text
        if not text and otherwise is not None:
            return otherwise
        try:
            number = float(text)
            if not math.isfinite(number) or number != int(number) or int(number) < least:
                raise ValueError
        except ValueError:
            self.wrong(column, f"{text!r} is no whole number" + (f" of at least {least}" if least else " from 0 on"))
            return least
        if number > most:
            self.wrong(column, f"{text!r} is beyond {most:,}, which no such quantity reaches")
            return least
        return int(number)

    def wrong(self, column: str, message: str, code: str = "InvalidValue", step: str = "correct the cell") -> None:
        """Note that this cell cannot be used."""
        self.table.problems.append(
            Problem(code, f"row {self.line}, column {column}: {message}", column, step, self.table.source, self.line)
        )


@dataclass(slots=True)
class Table:
    """A table as read: its columns, its rows, and what was found wrong so far."""

    source: str
    columns: tuple[str, ...]
    rows: list[Cells] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __iter__(self) -> Iterator[Cells]:
        return iter(self.rows)

    def settle(self) -> None:
        """Raise ProblemsFound if anything was wrong; a table is used as a whole or not at all."""
        if self.problems:
            raise ProblemsFound(self.problems[:PROBLEMS_MAX])

    def need(self, required: Iterable[str], optional: Iterable[str]) -> None:
        """Raise ProblemsFound unless the required columns are there and every other one is known."""
        known = (*required, *optional)
        for column in required:
            if column not in self.columns:
                self._column("MissingField", column, f"column {column} is missing", f"the header is {','.join(known)}")
        for column in self.columns:
            if column not in known:
                meant = did_you_mean(column, list(known))
                hint = f"; did you mean {meant}?" if meant else ""
                self._column("UnknownField", column, f"column {column!r} is not known{hint}", "rename or remove it")
        self.settle()

    def _column(self, code: str, column: str, message: str, step: str) -> None:
        self.problems.append(Problem(code, f"row 1: {message}", column, step, self.source, 1))


def read_table(path: Path) -> Table:
    """The table in a file. Raises ProblemsFound (NotUtf8, rows of another width, no header) and OSError."""
    source = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8 text"
        raise ProblemsFound([Problem("NotUtf8", message, "", "save it as UTF-8", source)]) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        table = Table(source, tuple(header))
        if not any(header) or len(set(header)) != len(header):
            table._column("InvalidValue", "", "the header is empty or names a column twice", "write one name a column")
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                message = f"row {reader.line_num}: {len(cells)} cells where the header has {len(header)}"
                extra = header[len(cells)] if len(cells) < len(header) else header[-1]
                table.problems.append(
                    Problem("InvalidValue", message, extra, "write one cell a column", source, reader.line_num)
                )
                continue
            values = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            table.rows.append(Cells(reader.line_num, values, table))
    except csv.Error as error:
        message = f"row {reader.line_num}: {error}"
        problem = Problem("InvalidValue", message, "", "write comma-separated text", source, reader.line_num)
        raise ProblemsFound([problem]) from None
    if not table.rows and not table.problems:
        table._column("MissingField", "", "the table has a header and no row", "add a row")
    table.settle()
    return table
