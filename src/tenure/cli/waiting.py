"""Waiting in front of a person: one live line on a terminal, a line a step elsewhere, never on standard output."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tenure.cli import screen


class Told(Protocol):
    """Says how far it is."""

    def __call__(self, words: str) -> None:
        """Show these words."""
        ...


@contextmanager
def waiting(what: str, *, quiet: bool = False) -> Iterator[Told]:
    """Show `what` is waited for and how far it is, for as long as the block lasts."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        from rich.text import Text

        started = time.monotonic()
        with screen.console(stderr=True, markup=False).status(what) as status:

            def live(words: str) -> None:
                passed = f"  {time.monotonic() - started:.0f} s"
                status.update(Text.assemble(f"{what}: {words}", (passed, "bright_black")))

            yield live
    else:
        yield _Steps(what)


class _Steps:
    """A line when the step changes; numbers that count up are no new step."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._said = ""

    def __call__(self, words: str) -> None:
        step = words.partition(",")[0]
        if step and step != self._said:
            self._said = step
            screen.note(f"{self._what}: {words}")
