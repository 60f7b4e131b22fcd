"""What is wrong with a value, in this project's words: one row for each sort of error that a model can raise."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

_Facts = Mapping[str, Any]

_TYPES = {
    "a mapping": ("model_type", "model_attributes_type", "dataclass_type", "dict_type", "mapping_type"),
    "a list": ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"),
    "a string": ("string_type",),
    "a string of UTF-8 text": ("string_unicode",),
    "an integer": ("int_type", "int_from_float", "int_parsing"),
    "an integer that can be kept": ("int_parsing_size",),
    "a number": ("float_type", "float_parsing"),
    "a finite number": ("finite_number",),
    "true or false": ("bool_type", "bool_parsing"),
    "null, or left out": ("none_required",),
}


def _must_be(what: str) -> Callable[[_Facts], str]:
    return lambda _: f"must be {what}"


WORDS: dict[str, Callable[[_Facts], str]] = {
    **{sort: _must_be(what) for what, sorts in _TYPES.items() for sort in sorts},
    "literal_error": lambda facts: f"must be {facts['expected']}",
    "enum": lambda facts: f"must be {facts['expected']}",
    "greater_than": lambda facts: f"must be greater than {facts['gt']}",
    "greater_than_equal": lambda facts: f"must be greater than or equal to {facts['ge']}",
    "less_than": lambda facts: f"must be less than {facts['lt']}",
    "less_than_equal": lambda facts: f"must be less than or equal to {facts['le']}",
    "multiple_of": lambda facts: f"must be a multiple of {facts['multiple_of']}",
    "string_too_short": lambda facts: f"must have at least {_counted(facts['min_length'], 'character')}",
    "string_too_long": lambda facts: f"must have at most {_counted(facts['max_length'], 'character')}",
    "string_pattern_mismatch": lambda facts: f"must match the pattern {facts['pattern']}",
    "union_tag_invalid": lambda facts: f"{facts['discriminator']} must be {facts['expected_tags']}",
    "union_tag_not_found": lambda facts: f"must name {facts['discriminator']}",
    "invalid_key": lambda _: "its keys must be text",
}
"""Rows that go before what was given: `must be an integer, not '50'`."""
WHOLE: dict[str, Callable[[_Facts], str]] = {
    "too_short": lambda facts: (
        f"must have at least {_counted(facts['min_length'], 'item')}, and has {facts['actual_length']}"
    ),
    "too_long": lambda facts: (
        f"must have at most {_counted(facts['max_length'], 'item')}, and has {facts['actual_length']}"
    ),
    "value_error": lambda facts: str(facts["error"]),
    "assertion_error": lambda facts: str(facts["error"]),
}
"""Rows that say all there is to say."""
SHOWN_CHARACTERS_MAX = 60


def value_words(sort: str, facts: _Facts, given: Any) -> str:
    """The error `sort` of a model with its `facts` about what was `given`, to follow a field's path."""
    if sort in WHOLE:
        return WHOLE[sort](facts)
    said = WORDS[sort](facts) if sort in WORDS else "must be a value that this field takes"
    return f"{said}, not {shown(given)}"


def shown(given: Any) -> str:
    """A value as a message shows it: short ones themselves, others by their sort."""
    if isinstance(given, Mapping):
        return "a mapping"
    if isinstance(given, list | tuple | set | frozenset):
        return "a list"
    if given is None or isinstance(given, bool | int | float):
        return shortened(json.dumps(given))
    return shortened(repr(given) if isinstance(given, str) else str(given))


def shortened(text: str) -> str:
    """What was given, as far as a message shows it."""
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 4] + " ..."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
