"""`tenure get`: objects as tables, JSON, YAML, names, JSONPath or columns of one's own; and as they change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from tenure.cli import failures, screen
from tenure.cli.door import Change, Door, open_door
from tenure.cli.formats import Format, ObjectOutput, named, parse_format, say_columns, say_objects
from tenure.cli.options import HERE, AllNamespaces, FieldSelector, Filename, Objects, Reach, Recursive, Selector
from tenure.cli.requests import JsonObject
from tenure.cli.targets import Target, parse_targets
from tenure.quantities import SystemClock
from tenure.resources import Kind
from tenure.resources.table import cells, column_definitions


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one get is about."""

    shown: Format
    namespace: str | None  # None: all
    labels: str
    fields: str
    headers: bool
    show_labels: bool


def get(
    *what: Objects,
    output: ObjectOutput = "table",
    watch: Annotated[bool, Parameter(name=["--watch", "-w"], negative=(), help="Go on showing changes.")] = False,
    watch_only: Annotated[bool, Parameter(negative=(), help="Show changes alone.")] = False,
    all_namespaces: AllNamespaces = False,
    selector: Selector = "",
    field_selector: FieldSelector = "",
    filename: Filename | None = None,
    recursive: Recursive = False,
    no_headers: Annotated[bool, Parameter(negative=(), help="Leave the table's headers out.")] = False,
    show_labels: Annotated[bool, Parameter(negative=(), help="Add a column with all labels.")] = False,
    ignore_not_found: Annotated[bool, Parameter(negative=(), help="An object that is not there is no error.")] = False,
    reach: Reach = HERE,
) -> None:
    """Show objects.

    Parameters
    ----------
    what
        KIND, several as KIND,KIND, KIND NAME..., or KIND/NAME...; `all` for every kind of Tenure.
    """
    shown = parse_format(output)
    targets = [*_of_files(filename or [], recursive), *(parse_targets(what) if what or not filename else [])]
    if any(target.name for target in targets) and (selector or field_selector or all_namespaces):
        raise failures.usage("objects named one by one cannot be selected as well", "leave -l, -A or the names out")
    with open_door(reach) as door:
        namespace = None if all_namespaces else door.namespace
        wanted = _Wanted(shown, namespace, selector, field_selector, not no_headers, show_labels)
        if watch or watch_only:
            _watch(door, targets, wanted, only_changes=watch_only)
        else:
            _show(door, targets, wanted, ignore_not_found)


def _show(door: Door, targets: Sequence[Target], wanted: _Wanted, ignore_not_found: bool) -> None:
    found: list[tuple[Kind, JsonObject]] = []
    for target in targets:
        if target.name is None:
            items, _ = door.list(target.kind, wanted.namespace, wanted.labels, wanted.fields)
            found += [(target.kind, item) for item in items]
        elif ignore_not_found:
            content = door.find(target.kind, target.name)
            found += [(target.kind, content)] if content else []
        else:
            found.append((target.kind, door.get(target.kind, target.name)))
    objects = [content for _, content in found]
    if not wanted.shown.is_table:
        if objects or wanted.shown.sort not in ("name", "custom-columns"):
            single = len(targets) == 1 and targets[0].name is not None
            if wanted.shown.sort == "custom-columns":
                say_columns(wanted.shown.template, objects, show_headers=wanted.headers)
            elif objects or not single:
                say_objects(wanted.shown, objects, as_list=not single)
        return
    if not found:
        if not ignore_not_found:
            where = f" in {wanted.namespace} namespace" if wanted.namespace else ""
            cluster_wide = all(not target.kind.namespaced for target in targets)
            screen.note(f"No resources found{'' if cluster_wide else where}.")
        return
    _say_tables(found, wanted, several=len({target.kind.kind for target in targets}) > 1)


def _say_tables(found: Sequence[tuple[Kind, JsonObject]], wanted: _Wanted, *, several: bool) -> None:
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    for index, kind in enumerate(kinds):
        if index:
            screen.say()
        rows = [_row(kind, content, wanted, several) for owner, content in found if owner is kind]
        screen.say_table(_headers(kind, wanted), rows, show_headers=wanted.headers)


def _headers(kind: Kind, wanted: _Wanted) -> list[str]:
    shown = [d["name"] for d in column_definitions(kind) if wanted.shown.sort == "wide" or not d["priority"]]
    namespace = ["Namespace"] if wanted.namespace is None and kind.namespaced else []
    return [*namespace, *shown, *(["Labels"] if wanted.show_labels else [])]


def _row(kind: Kind, content: JsonObject, wanted: _Wanted, several: bool) -> list[object]:
    definitions = column_definitions(kind)
    values = cells(kind, content, SystemClock().now_ms())
    if several:
        values[0] = named(kind, str(values[0]))
    row: list[object] = [
        value
        for value, definition in zip(values, definitions, strict=True)
        if wanted.shown.sort == "wide" or not definition["priority"]
    ]
    if wanted.namespace is None and kind.namespaced:
        row.insert(0, content["metadata"].get("namespace"))
    if wanted.show_labels:
        labels = content["metadata"].get("labels") or {}
        row.append(",".join(f"{key}={value}" for key, value in labels.items()))
    return row


def _watch(door: Door, targets: Sequence[Target], wanted: _Wanted, *, only_changes: bool) -> None:
    if len({target.kind.kind for target in targets}) != 1 or len(targets) != 1:
        raise failures.usage("one kind, or one object, can be watched at a time", "leave the other kinds out")
    target = targets[0]
    fields = f"metadata.name={target.name}" if target.name else wanted.fields
    namespace = door.namespace if target.name else wanted.namespace
    if target.name:
        door.get(target.kind, target.name)  # what does not exist is an error, as without -w
    items, version = door.list(target.kind, namespace, wanted.labels, fields)
    printer = _Rows(target.kind, wanted)
    if not only_changes:
        for content in items:
            printer.add(Change("ADDED", content))
    for change in door.watch(target.kind, namespace, version, wanted.labels, fields):
        printer.add(change)


class _Rows:
    """Rows printed one by one; a column that is once wide stays wide."""

    def __init__(self, kind: Kind, wanted: _Wanted) -> None:
        self._kind = kind
        self._wanted = wanted
        self._widths: list[int] = []

    def add(self, change: Change) -> None:
        """Print one change."""
        if not self._wanted.shown.is_table:
            say_objects(self._wanted.shown, [change.content], as_list=False)
        else:
            if not self._widths and self._wanted.headers:
                self._line([header.upper() for header in _headers(self._kind, self._wanted)])
            self._line([screen.cell_text(cell) for cell in _row(self._kind, change.content, self._wanted, False)])
        screen.flush()

    def _line(self, texts: list[str]) -> None:
        before = self._widths or [0] * len(texts)
        self._widths = [max(width, len(text)) for width, text in zip(before, texts, strict=True)]
        screen.say(screen.GAP.join(t.ljust(w) for t, w in zip(texts, self._widths, strict=True)).rstrip())


def _of_files(paths: Sequence[str], recursive: bool) -> list[Target]:
    if not paths:
        return []
    from tenure.cli.manifests import read_manifests
    from tenure.resources import kind_of

    return [Target(kind_of(type(m.model)), m.name) for m in read_manifests(paths, recursive=recursive)]
