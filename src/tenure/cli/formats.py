"""Output formats of commands that show objects: table, wide, json, yaml, name, jsonpath=, custom-columns=."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from tenure.cli import completers, failures, jsonpath, screen
from tenure.cli.options import OUTPUT
from tenure.resources import Kind

JsonObject = dict[str, Any]
PLAIN = ("wide", "json", "yaml", "name")
_WITH_TEMPLATE = ("jsonpath", "jsonpath-as-json", "custom-columns")


@dataclass(frozen=True, slots=True)
class Format:
    """How objects are shown; `sort` is `table` or a name that -o takes, `template` what follows its `=`."""

    sort: str
    template: str = ""

    @property
    def is_table(self) -> bool:
        """Whether rows are printed as they come."""
        return self.sort in ("table", "wide")


def parse_format(text: str) -> Format:
    """What -o says. Raises Failure (usage)."""
    sort, equals, template = text.partition("=")
    if not equals and sort in ("", "table", "text"):
        return Format("table")
    if not equals and sort in PLAIN:
        return Format(sort)
    if sort in _WITH_TEMPLATE and template:
        return Format(sort, template)
    known = ", ".join([*PLAIN, "jsonpath=TEMPLATE", "custom-columns=NAME:PATH,..."])
    raise failures.usage(f"the output format {text!r} is not known", f"use -o with one of {known}", "UnknownFormat")


def known_format(_type: Any, text: str) -> None:
    """Refuse a format that nobody knows before anything is asked or changed. Raises Failure (usage)."""
    parse_format(text)


ObjectOutput = Annotated[
    str,
    Parameter(
        name=OUTPUT,
        completer=completers.among(*PLAIN, *(f"{sort}=" for sort in _WITH_TEMPLATE)),
        help="wide, json, yaml, name, jsonpath=TEMPLATE or custom-columns=NAME:PATH,...; a table without it.",
        validator=known_format,
    ),
]


def say_objects(shown: Format, objects: Sequence[JsonObject], *, as_list: bool) -> None:
    """Print objects in a format that is not a table; `as_list` says that several may come."""
    value: Any = objects[0] if not as_list and len(objects) == 1 else _list_of(objects)
    match shown.sort:
        case "json":
            screen.say_json(value)
        case "yaml":
            screen.say_yaml(value)
        case "name":
            for content in objects:
                screen.say(qualified_name(content))
        case "jsonpath":
            print(_jsonpath(shown.template, value), end="")
        case "jsonpath-as-json":
            screen.say_json(jsonpath.find(shown.template.strip("{}"), value))
        case "custom-columns":
            say_columns(shown.template, objects)


def say_columns(template: str, objects: Sequence[JsonObject], *, show_headers: bool = True) -> None:
    """Columns of one's own: NAME:.path,NAME:.path."""
    columns = [column.partition(":") for column in template.split(",")]
    if any(not name or not path for name, _, path in columns):
        step = "write -o custom-columns=NAME:.metadata.name,PHASE:.status.phase"
        raise failures.usage(f"{template!r} names no columns", step, "UnknownFormat")
    rows = [[_column(path, content) for _, _, path in columns] for content in objects]
    screen.say_table([name for name, _, _ in columns], rows, show_headers=show_headers)


def qualified_name(content: JsonObject) -> str:
    """workload.tenure.dev/chat, as -o name and the verbs print it."""
    group, slash, _ = content["apiVersion"].rpartition("/")
    kind = content["kind"].lower()
    return f"{kind}.{group}/{content['metadata']['name']}" if slash else f"{kind}/{content['metadata']['name']}"


def named(kind: Kind, name: str) -> str:
    """As `qualified_name`, for an object that is not at hand."""
    return f"{kind.singular}.{kind.group}/{name}" if kind.group else f"{kind.singular}/{name}"


def _list_of(objects: Sequence[JsonObject]) -> JsonObject:
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": list(objects)}


def _jsonpath(template: str, value: Any) -> str:
    try:
        return jsonpath.render(template, value)
    except jsonpath.JsonPathError as error:
        raise failures.usage(str(error), "see the JSONPath page of kubectl's reference", "InvalidJsonPath") from None


def _column(path: str, content: JsonObject) -> str:
    try:
        found = jsonpath.find(path.strip("{}"), content)
    except jsonpath.JsonPathError as error:
        raise failures.usage(str(error), reason="InvalidJsonPath") from None
    return ",".join(screen.cell_text(value) for value in found) if found else "<none>"
