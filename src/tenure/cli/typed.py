"""Commands that are shown to be typed next: with the --home that this one was given, or they mean another home."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_GIVEN: ContextVar[str] = ContextVar("the folder after --home", default="")
_HOMELESS = ("api-resources", "completion", "explain", "init", "lint", "simulate")
_COMMAND = re.compile(rf"(?<![\w./@:=-])tenure (?=[a-z])(?!(?:{'|'.join(_HOMELESS)})\b)(?![a-z -]*--help)")
"""A command of ours as words name it, but for those that look into no home."""
_QUOTED = re.compile("`[^`]*`")


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
    command = f"tenure --home {shlex.quote(home)} "
    # The folder itself may be named like a command, such as `my tenure x`.
    either = re.compile(f"({re.escape(_as_shown(home))})|{_COMMAND.pattern}")
    return either.sub(lambda found: found[1] or command, words)


def typed_where_quoted(words: str) -> str:
    """`words`, which may name anything of anybody, with each command between backticks as it must be typed here."""
    return _QUOTED.sub(lambda found: typed(found[0]), words)


def _as_shown(home: str) -> str:
    """The home as words have it; as it was given where nothing says which folder that is."""
    try:
        return str(Path(home).expanduser().absolute())
    except (OSError, RuntimeError):
        return home
