"""The standard streams as they are when we start: closed ones, ones of another encoding, ones that take no more."""

import codecs
import io
import json
import os
import sys
from typing import Literal

ESCAPED = "tenure.escaped"
_STREAMS: tuple[tuple[str, Literal["r", "w"]], ...] = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""In the order of their numbers."""


def prepare() -> None:
    """See to it that there are three of them, and that every text can be written to two."""
    codecs.register_error(ESCAPED, _escaped)
    for name, mode in _STREAMS:
        stream = getattr(sys, name)
        if stream is None:
            # Whoever started us closed it. Its number is the next that is given away: to this, and to no file of ours.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - open for as long as we run
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What an encoding lacks, as JSON writes it where it must be ASCII: so it stays JSON, and nothing is lost."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def flushed(code: int) -> int:
    """The exit code of a command that ended with `code`, once its answer is written or cannot be."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # What is left of it is let go, or the interpreter would try again as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return code  # whoever read us has seen enough
        from tenure.cli import failures
        from tenure.cli.files import unwritable

        failure = unwritable("standard output", error)
        failures.show(failure, as_json=False)
        return failure.exit_code
    return code
