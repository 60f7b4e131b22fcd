"""What commands print: plain text and tables on standard output, notes on standard error, JSON and YAML."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from tenure.cli.tables import widths

if TYPE_CHECKING:
    from rich.console import Console

GAP = "   "
OUTPUT_VERSION = "cli.tenure.dev/v1alpha1"
"""Of every answer in JSON that is no object of the API; changes when a member goes or comes to mean another thing."""


def say(text: str = "") -> None:
    """A line of the answer."""
    print(text)


def note(text: str) -> None:
    """A line beside the answer, for people."""
    print(text, file=sys.stderr)


def say_json(value: Any) -> None:
    """The answer for programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def say_as(kind: str, members: Mapping[str, Any]) -> None:
    """An answer for programs of one of the kinds that `schemas.OUTPUTS` describes."""
    say_json({"apiVersion": OUTPUT_VERSION, "kind": kind, **members})


def say_line_as(kind: str, members: Mapping[str, Any]) -> None:
    """The same on one line and at once, where answers go on coming."""
    print(json.dumps({"apiVersion": OUTPUT_VERSION, "kind": kind, **members}, ensure_ascii=False), flush=True)


def say_yaml(value: Any) -> None:
    """The answer as a manifest."""
    from tenure.cli.yaml_text import yaml_text  # no table waits for a parser of YAML

    print(yaml_text(value), end="")


def say_table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, show_headers: bool = True) -> None:
    """Columns as kubectl prints them: upper-case headers, three spaces between, nothing around.

    Words wrap in their column where the screen is too narrow. Through a pipe a row is a line, however long.
    """
    texts = [[cell_text(cell) for cell in row] for row in rows]
    lines = [[header.upper() for header in headers], *texts] if show_headers else texts
    if not lines:
        return
    columns = list(zip(*lines, strict=True))
    room = shutil.get_terminal_size().columns if is_terminal() else sys.maxsize
    fitting = widths(columns, room - len(GAP) * (len(columns) - 1))
    for line in lines:
        wrapped = [_wrapped(text, width) for text, width in zip(line, fitting, strict=True)]
        for parts in zip_longest(*wrapped, fillvalue=""):
            print(GAP.join(part.ljust(width) for part, width in zip(parts, fitting, strict=True)).rstrip())


def _wrapped(text: str, width: int) -> list[str]:
    if len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def cell_text(cell: object) -> str:
    """One cell of a table."""
    if cell is None or cell == "":
        return "<none>"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell).replace("\n", "\\n")


def console(*, stderr: bool = False, markup: bool = True) -> "Console":
    """A console for pictures: colours on a terminal, plain text elsewhere.

    `markup` False where words come from objects: brackets in them are then no markup.
    """
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=markup, emoji=False)


def is_terminal() -> bool:
    """Whether a person is looking."""
    return sys.stdout.isatty()


def flush() -> None:
    """Let what was printed be seen now, through a pipe too."""
    sys.stdout.flush()
