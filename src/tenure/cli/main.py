"""The entry point: parse, run one command, turn whatever happens into an exit code and a readable answer."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from tenure.cli import exit_codes, failures, streams
from tenure.cli.typed import given, one_line


def main() -> NoReturn:
    """`tenure`, as installed."""
    streams.prepare()
    sys.exit(streams.flushed(run(sys.argv[1:])))


def run(tokens: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code. Never raises."""
    home_before = os.environ.get("TENURE_HOME")
    try:
        with one_line():
            return _ended(list(tokens))
    finally:
        _restore_home(home_before)


def _ended(tokens: list[str]) -> int:
    try:
        tokens = _take_home(tokens)
        return _dispatch(tokens)
    except BrokenPipeError:
        return exit_codes.YES  # whoever read us has seen enough
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else exit_codes.YES
    except Exception as error:
        failure = _torn(error, tokens) or failures.failure_of(error, tokens)
        failures.show(failure, as_json=failures.wants_json(tokens))
        return failure.exit_code


def _dispatch(tokens: list[str]) -> int:
    from tenure.cli.commands import make_app

    answer = make_app(detailed=tokens[:1])(tokens, result_action="return_value", exit_on_error=False, print_error=False)
    return answer if isinstance(answer, int) else exit_codes.YES


def _torn(error: Exception, tokens: Sequence[str]) -> failures.Failure | None:
    """A word that is no text is a fine name of a file and nothing else; what it was sent as knows no such bytes."""
    if not isinstance(error, UnicodeEncodeError) or "".join(tokens).isprintable():
        return None
    return failures.usage("the command line holds bytes that are no UTF-8 text", reason="NotUtf8")


def _take_home(tokens: list[str]) -> list[str]:
    """`--home DIR` holds for the whole command line, wherever it stands before `--`; it wins over TENURE_HOME."""
    end = tokens.index("--") if "--" in tokens else len(tokens)
    for index, token in enumerate(tokens[:end]):
        if token.startswith("--home="):
            _choose(token.partition("=")[2])
            return [*tokens[:index], *tokens[index + 1 :]]
        if token == "--home":
            word = tokens[index + 1] if index + 1 < end else ""
            _choose("" if word.startswith("-") else word)  # the next option is no folder
            return [*tokens[:index], *tokens[index + 2 :]]
    return tokens


def _choose(home: str) -> None:
    """The folder that --home names. An empty name is a variable that was not set: it must not mean the usual home."""
    if not home:
        raise failures.usage("--home needs a folder", "write --home DIR")
    if os.path.exists(home) and not os.path.isdir(home):
        raise failures.usage(f"--home {home}: this is a file, and a home is a folder", "write --home DIR", "NotAHome")
    os.environ["TENURE_HOME"] = home
    given(home)


def _restore_home(before: str | None) -> None:
    # In one process many command lines may run; each starts from the environment that it found.
    if before is None:
        os.environ.pop("TENURE_HOME", None)
    else:
        os.environ["TENURE_HOME"] = before
