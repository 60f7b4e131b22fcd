"""What is wrong with a value is said in our own words, whichever sort of error a model raises."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from tenure.resources import KINDS
from tenure.resources.problems import problems_of
from tenure.resources.value_words import WHOLE, WORDS, value_words
from tests.cli.manifests import chat
from tests.resources.documents.test_decoding import shown

WRONG: tuple[Any, ...] = ("", "?" * 300, -1, 1.5, None, [], [{}], float("nan"))
NOT_OURS = ("nput should", "alid dictionary", "instance of", "should have", "after validation", "Value error")


def parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from parts(inner)


def models() -> set[type[BaseModel]]:
    """Every model of which an object of any kind is made."""
    found: set[type[BaseModel]] = set()
    waiting: list[type[BaseModel]] = [kind.model for kind in KINDS]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [part for field in model.model_fields.values() for part in parts(field.annotation)]
    return found


def test_for_every_field_of_every_kind() -> None:
    seen: set[str] = set()
    for model in models():
        names = [field.alias or name for name, field in model.model_fields.items()]
        for wrong in WRONG:
            content = dict.fromkeys(names, wrong)
            try:
                model.model_validate(content | {"no such": 1}, strict=True, by_alias=True, by_name=False)
            except ValidationError as error:
                seen |= {detail["type"] for detail in error.errors(include_url=False)}
                for problem in problems_of(error, model, content, "workload"):
                    assert not any(words in problem.message for words in NOT_OURS), (model, problem)
    ours = {sort for sort in seen if sort[:1].isupper()} | {"missing", "extra_forbidden"}
    assert seen - ours <= WORDS.keys() | WHOLE.keys()
    assert len(seen - ours) > 12, "they were really raised"


def test_an_error_that_nobody_foresaw_is_worded_too() -> None:
    assert value_words("date_past", {}, [1]) == "must be a value that this field takes, not a list"


def test_lists_and_mappings_are_called_that() -> None:
    found = shown(chat(term="[30d]") + "  run: {command: [], files: {}}\n")
    assert {row[1:3] for row in found} >= {
        ("spec.run.command", "must have at least 1 item, and has 0"),
        ("spec.run.files", "must be a list, not a mapping"),
        ("spec.term", "must be a mapping, not a list"),
    }
