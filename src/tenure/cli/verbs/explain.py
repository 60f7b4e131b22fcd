"""`tenure explain`: what the fields of a kind mean."""

import textwrap
from typing import Annotated, Any

from cyclopts import Parameter

from tenure.cli import completers, failures, screen
from tenure.cli.options import Output
from tenure.cli.targets import the_kind
from tenure.resources.explain import Explanation, FieldExplanation, NoSuchFieldError
from tenure.resources.explain import explain as explained
from tenure.resources.spelling import did_you_mean

_WIDTH = 100


def explain(
    path: Annotated[str, Parameter(completer=completers.fields)],
    *,
    recursive: Annotated[bool, Parameter(negative=(), help="Every field below, as a tree.")] = False,
    output: Output = "text",
) -> None:
    """Say what a kind or a field of it means; works without a host.

    Parameters
    ----------
    path
        KIND or KIND.field.field, such as workload.spec.objectives.
    """
    answer = _explain(path)
    if output == "json":
        screen.say_as("Explanation", _json(answer))
    elif recursive:
        _say_head(answer)
        _say_tree(path, answer, 1)
    else:
        _say_head(answer)
        _say_fields(answer)


def _explain(path: str) -> Explanation:
    word, _, field = path.partition(".")
    kind = the_kind(word)
    # A group may follow the kind's name: workloads.tenure.dev.spec
    if kind.group and f"{field}.".startswith(f"{kind.group}."):
        field = field[len(kind.group) :].lstrip(".")
    try:
        return explained(kind, field)
    except NoSuchFieldError as error:
        meant = did_you_mean(field.rpartition(".")[2], error.known)
        step = f"did you mean {meant}?" if meant else f"fields there: {', '.join(error.known) or 'none'}"
        raise failures.Failure(
            f"{kind.kind} has no field {field}", exit_code=3, reason="UnknownField", next_step=step
        ) from None


def _say_head(answer: Explanation) -> None:
    screen.say(f"GROUP:    {answer.kind.group}" if answer.kind.group else "GROUP:")
    screen.say(f"KIND:     {answer.kind.kind}")
    screen.say(f"VERSION:  {answer.kind.version}")
    screen.say()
    if answer.path:
        required = " -required-" if answer.field.required else ""
        screen.say(f"FIELD: {answer.field.name} <{answer.field.type}>{required}")
        screen.say()
    screen.say("DESCRIPTION:")
    _say_wrapped(_about(answer.field) or "<empty>", 4)
    screen.say()


def _say_fields(answer: Explanation) -> None:
    if not answer.fields:
        return
    screen.say("FIELDS:")
    for field in answer.fields:
        required = " -required-" if field.required else ""
        screen.say(f"  {field.name} <{field.type}>{required}")
        about = _about(field)
        if about:
            _say_wrapped(about, 4)
        screen.say()


def _say_tree(path: str, answer: Explanation, depth: int) -> None:
    if depth == 1:
        screen.say("FIELDS:")
    for field in answer.fields:
        required = " -required-" if field.required else ""
        screen.say(f"{'  ' * depth}{field.name} <{field.type}>{required}")
        below = _explain(f"{path}.{field.name}")
        _say_tree(f"{path}.{field.name}", below, depth + 1)


def _about(field: FieldExplanation) -> str:
    said = field.description
    parts = [f"{said}." if said and not said.endswith(".") else said]
    if field.values:
        parts.append(f"One of: {', '.join(field.values)}.")
    if field.example:
        parts.append(f"For example {field.example}.")
    return " ".join(part for part in parts if part)


def _say_wrapped(text: str, indent: int) -> None:
    pad = " " * indent
    screen.say(textwrap.fill(text, _WIDTH, initial_indent=pad, subsequent_indent=pad))


def _json(answer: Explanation) -> dict[str, Any]:
    return {
        "of": answer.kind.kind,
        "path": answer.path,
        "field": _field(answer.field),
        "fields": [_field(field) for field in answer.fields],
    }


def _field(field: FieldExplanation) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "required": field.required,
        "description": field.description,
        "values": list(field.values),
        "example": field.example,
    }
