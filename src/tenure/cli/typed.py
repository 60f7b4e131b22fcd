"""Commands that are shown to be typed next: with the --home that this one was given, or they mean another home."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_GIVEN: ContextVar[str] = ContextVar("the folder after --home", default="")
_HOMELESS = ("api-resources", "completion", "explain", "init", "lint", "simulate")
_COMMAND = re.compile(rf"(?<![\w./@:=-])tenure (?=[a-z])(?!(?:{'|'.join(_HOMELESS)})\b)(?![a-z -]*--help)")
"""A command of ours as words name it, but for those that look into no home."""


@contextmanager
def one_line() -> Iterator[None]:
    """One command line: what it was given is forgotten with it, and one that it runs is given nothing."""
    before = _GIVEN.set("")
    try:
        yield
    finally:
        _GIVEN.reset(before)


def given(home: str) -> None:
    """This command line has `--home HOME`."""
    _GIVEN.set(home)


def typed(words: str) -> str:
    """`words`, which are Tenure's own, with each command in them as it must be typed here."""
    home = _GIVEN.get()
    if not home:
        return words
    return _COMMAND.sub(lambda _: f"tenure --home {shlex.quote(home)} ", words)
