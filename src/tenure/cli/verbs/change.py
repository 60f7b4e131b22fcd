"""`tenure patch`, `label` and `annotate`: one change to an object that exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from tenure.cli import failures, requests, screen
from tenure.cli.door import Door, open_door
from tenure.cli.formats import ObjectOutput, parse_format, qualified_name, say_objects
from tenure.cli.options import DRY_RUN_WORDS, HERE, DryRun, Objects, Reach, Selector
from tenure.cli.targets import Target, one_target, parse_targets
from tenure.resources.documents import parse_documents, parse_json
from tenure.resources.problems import ProblemsFound

_TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
SUBRESOURCES = ("", "status")


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """Which objects are marked, and how."""

    overwrite: Annotated[bool, Parameter(negative=(), help="Change what is there already.")] = False
    selector: Selector = ""
    list: Annotated[bool, Parameter(negative=(), help="Show those that are there.")] = False
    all: Annotated[bool, Parameter(negative=(), help="Every object of the kind.")] = False
    output: ObjectOutput = "text"


AS_NAMED = Marking()


def patch(
    *what: Objects,
    patch: Annotated[str, Parameter(name=["--patch", "-p"], help="The change, as JSON or YAML.")] = "",
    patch_file: Annotated[str, Parameter(help="A file with the change.")] = "",
    type: Annotated[
        str, Parameter(help="merge, json or strategic; which of them a kind takes, the host says.")
    ] = "merge",
    subresource: Annotated[str, Parameter(help="status, for identities that may write it.")] = "",
    dry_run: DryRun = "none",
    output: ObjectOutput = "text",
    reach: Reach = HERE,
) -> None:
    """Change some fields of one object.

    Parameters
    ----------
    what
        KIND NAME or KIND/NAME.
    """
    target = one_target(what)
    if type not in _TYPES:
        raise failures.usage(f"--type {type!r} is not known", f"one of {', '.join(_TYPES)}")
    if subresource not in SUBRESOURCES:
        raise failures.usage(f"--subresource {subresource!r} is not known", "write status, or leave it out")
    change = _change(patch, patch_file, type)
    with open_door(reach) as door:
        call = requests.patch(
            target.kind,
            str(target.name),
            change,
            door.namespace,
            subresource=subresource,
            content_type=_TYPES[type],
            dry_run=dry_run == "server",
        )
        before = door.get(target.kind, str(target.name))
        after = before if dry_run == "client" else door.send(call)
    _say(before, after, "patched", output, dry_run)


def label(*what: Objects, marking: Marking = AS_NAMED, reach: Reach = HERE) -> None:
    """Set labels (KEY=VALUE) or take them away (KEY-).

    Parameters
    ----------
    what
        KIND NAME... or KIND/NAME..., then KEY=VALUE or KEY- ...
    """
    _mark("labels", "labeled", what, marking, reach)


def annotate(*what: Objects, marking: Marking = AS_NAMED, reach: Reach = HERE) -> None:
    """Set annotations (KEY=VALUE) or take them away (KEY-).

    Parameters
    ----------
    what
        KIND NAME... or KIND/NAME..., then KEY=VALUE or KEY- ...
    """
    _mark("annotations", "annotated", what, marking, reach)


def _mark(field: str, word: str, what: Sequence[str], marking: Marking, reach: Reach) -> None:
    objects = [w for w in what if "=" not in w and not (w.endswith("-") and len(w) > 1 and w is not what[0])]
    changes = _pairs([w for w in what if w not in objects])
    if not changes and not marking.list:
        raise failures.usage(f"say which {field} to set", "write KEY=VALUE, or KEY- to take one away")
    with open_door(reach) as door:
        for target in _targets(door, objects, marking):
            before = door.get(target.kind, str(target.name))
            if marking.list:
                screen.say(f"{qualified_name(before)}:")
                for key, value in (before["metadata"].get(field) or {}).items():
                    screen.say(f"  {key}={value}")
            if not changes:
                continue
            _check_overwrite(field, before, changes, marking.overwrite)
            version = before["metadata"]["resourceVersion"]
            change = {"metadata": {field: changes, "resourceVersion": version}}
            after = door.send(requests.patch(target.kind, str(target.name), change, door.namespace))
            _say(before, after, word, marking.output, "none")


def _check_overwrite(field: str, before: dict[str, Any], changes: dict[str, str | None], overwrite: bool) -> None:
    present = before["metadata"].get(field) or {}
    for key, value in changes.items():
        if not overwrite and value is not None and present.get(key, value) != value:
            raise failures.conflict(
                f"{qualified_name(before)} has {key}={present[key]} already", "AlreadyExists", "add --overwrite"
            )


def _targets(door: Door, objects: Sequence[str], marking: Marking) -> list[Target]:
    found: list[Target] = []
    for target in parse_targets(objects):
        if target.name:
            found.append(target)
        elif marking.selector or marking.all:
            items, _ = door.list(target.kind, door.namespace, marking.selector)
            found += [Target(target.kind, item["metadata"]["name"]) for item in items]
        else:
            raise failures.usage("name the objects", "write KIND NAME, or select with -l or --all")
    return found


def _pairs(words: Sequence[str]) -> dict[str, str | None]:
    changes: dict[str, str | None] = {}
    for word in words:
        key, equals, value = word.partition("=")
        key = key if equals else word[:-1]
        if key in changes:
            raise failures.usage(f"{key} is named twice", f"write {key}=VALUE or {key}-, once")
        changes[key] = value if equals else None
    return changes


def _change(text: str, file: str, type: str) -> Any:
    if bool(text) == bool(file):
        raise failures.usage("say what to change", "write -p '{\"spec\": {...}}' or --patch-file FILE")
    if file:
        from tenure.cli.manifests import read_bytes

        data: bytes | str = read_bytes(file)
    else:
        data = text
    source = file or "--patch"
    if type == "json":
        return parse_json(data, source=source)
    try:
        documents = parse_documents(data, source=source)
    except ProblemsFound as error:
        if any(problem.code != "NotAnObject" for problem in error.problems):
            raise
        documents = []
    if len(documents) != 1:
        step = "write -p '{\"spec\": {...}}'; a list of operations goes with --type json"
        raise failures.usage(f"{source}: the patch is no mapping", step, "NotAnObject")
    return documents[0].content


def _say(before: dict[str, Any], after: dict[str, Any], word: str, output: str, dry_run: str) -> None:
    shown = parse_format(output)
    if not shown.is_table:
        say_objects(shown, [after], as_list=False)
        return
    same = before["metadata"].get("resourceVersion") == after["metadata"].get("resourceVersion") and dry_run == "none"
    screen.say(f"{qualified_name(after)} {word}{' (no change)' if same else ''}{DRY_RUN_WORDS[dry_run]}")
