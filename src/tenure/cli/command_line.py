"""A command line that the parser refused, in the words in which it is typed: what stands by its place is no option."""

import inspect
from collections.abc import Sequence
from typing import Any

from tenure.cli.failures import Failure, usage

_SORTS = {int: "no whole number", float: "no number", bool: "neither yes nor no"}


def failure_of_line(error: BaseException, tokens: Sequence[str]) -> Failure:
    """The failure that an error of the parser means."""
    match type(error).__name__:
        case "UnknownCommandError":
            return _unknown_command(error, tokens)
        case "MissingArgumentError":
            return _missing(error)
        case "UnusedCliTokensError":
            return _too_many(error)
        case "CoercionError" if (said := _of_another_sort(error)) is not None:
            return said
    words = str(error).strip() or type(error).__name__
    return usage(words[:1].lower() + words[1:].rstrip("."), _help(error, tokens))


def _missing(error: Any) -> Failure:
    argument, command = error.argument, _command(error)
    given = error.keyword or next((token.keyword for token in argument.tokens if token.keyword), None)
    if given is not None:
        return usage(f"{given} needs a value", _help(error))
    if _by_place(argument):
        places = [_place(parameter) for parameter in inspect.signature(error.target).parameters.values()]
        return usage(
            f"{_name(argument)} is missing", f"write `{command} {' '.join(filter(None, places))}`; {_help(error)}"
        )
    return usage(f"{command} needs {argument.name}", _help(error))


def _place(parameter: inspect.Parameter) -> str:
    """A parameter as usage lines have it: NAME, [NAME] where it may be left out, nothing for an option."""
    if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        return ""
    name = parameter.name.strip("_").replace("_", "-").upper()
    return name if parameter.default is inspect.Parameter.empty else f"[{name}]"


def _too_many(error: Any) -> Failure:
    words = error.unused_tokens
    more = "is one word" if len(words) == 1 else "are words"
    return usage(f"{', '.join(map(repr, words))} {more} more than {_command(error)} takes", _help(error))


def _of_another_sort(error: Any) -> Failure | None:
    sort, token = _SORTS.get(error.target_type), error.token
    if sort is None or token is None:
        return None
    named = token.keyword or (_name(error.argument) if error.argument is not None else "")
    return usage(f"{named} {token.value!r:.60} is {sort}".lstrip(), _help(error), "InvalidValue")


def _unknown_command(error: Any, tokens: Sequence[str]) -> Failure:
    # The parser's own text would import the code of every command to spell their names.
    from tenure.resources.spelling import did_you_mean

    unknown = str((error.unused_tokens or tokens)[0])
    names = [name for name in error.app if not name.startswith("-")]
    path = " ".join(["tenure", *tokens[: list(tokens).index(unknown)]]) if unknown in tokens else "tenure"
    meant = did_you_mean(unknown, names)
    question = f"; did you mean {meant}?" if meant else ""
    return usage(f"unknown command {unknown!r}{question}", f"see `{path} --help`", "UnknownCommand")


def _by_place(argument: Any) -> bool:
    return argument.field_info.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _name(argument: Any) -> str:
    name: str = argument.name
    return name.lstrip("-").upper() if _by_place(argument) else name


def _command(error: Any) -> str:
    return " ".join(("tenure", *(error.command_chain or ())))


def _help(error: Any, tokens: Sequence[str] = ()) -> str:
    first = next((token for token in tokens if not token.startswith("-")), "")
    command = _command(error) if getattr(error, "command_chain", None) else f"tenure {first}".rstrip()
    return f"see `{command} --help`"
