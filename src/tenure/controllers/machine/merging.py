"""What a fleet's file says of an object, and what was declared of it through the door, made one. Pure.

Field by field and three ways, as a Kubernetes client applies a manifest: what the file says now, what it said when it
was last taken over, and what is there. What the file names is as the file says, what it never named is left as it is,
and what it named and names no more goes, unless somebody has changed it since. Whatever somebody had declared and the
file says otherwise is told, never dropped without a word.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from tenure.resources import HardwareProfile, Machine, Site
from tenure.resources.base import Strict
from tenure.resources.kinds.site import DomainBudget, NamedBudget, SiteLevel, SiteLink

S = TypeVar("S", bound=Strict)
D = TypeVar("D", HardwareProfile, Machine, Site)

KEYS: Mapping[type[Strict], tuple[str, ...]] = {
    SiteLevel: ("level",),
    DomainBudget: ("level", "domain"),
    NamedBudget: ("name",),
    SiteLink: ("to",),
}
"""By what the items of a list are told apart: each is merged by itself. Other lists (a site's scores) are one word."""
NEVER_WITHDRAWN = frozenset({"location", "health"})
"""What a file that says nothing of it any more leaves as it is: nothing is healed, or stands elsewhere, by silence."""
THE_DOOR_S = frozenset({"drain"})
"""What is an order of the moment: of an object that is there already, a file says nothing of it."""


def declared_of(there: D, wanted: D, before: D | None) -> tuple[D, list[str]]:
    """The object as it is to be, and what the file overrules, in words. `before`: as the file was last taken over."""
    if there.spec == wanted.spec and (there.metadata.labels or None) == (wanted.metadata.labels or None):
        return there, []  # as thousands are at each start
    spec: Strict
    overruled: list[str]
    more: list[str]
    spec, overruled = merged(there.spec, wanted.spec, before.spec if before is not None else None, "spec")
    once = before.metadata.labels if before is not None else None
    labels, more = _labels(there.metadata.labels or {}, wanted.metadata.labels or {}, once or {})
    metadata = there.metadata.model_copy(update={"labels": labels or None})
    words = [f"{there.kind}/{there.name} {one}" for one in (*overruled, *more)]
    return there.model_copy(update={"spec": spec, "metadata": metadata}), words


def merged(there: S, wanted: Strict, before: Strict | None, path: str) -> tuple[S, list[str]]:
    """One part of an object and all that lies in it; `wanted` and `before` are parts of the same sort."""
    changes: dict[str, Any] = {}
    overruled: list[str] = []
    for name, about in type(there).model_fields.items():
        if name in THE_DOOR_S:
            continue
        at, now = f"{path}.{about.alias or name}", getattr(there, name)
        said, once = _said(wanted, name), _said(before, name)
        if _keys(now, said, once):
            changes[name], told = _items(now, said or [], once or [], at)
            overruled += told
            continue
        otherwise = about.get_default(call_default_factory=True)
        if said is not None:
            if now not in (said, otherwise if once is None else once):
                overruled.append(_told(at, now, said))
            changes[name] = said
        elif once is not None and now == once and name not in NEVER_WITHDRAWN:
            changes[name] = otherwise
    return there.model_copy(update=changes), overruled


def _said(part: Strict | None, name: str) -> Any:
    """What was written of a field; None where nothing was."""
    return getattr(part, name) if part is not None and name in part.model_fields_set else None


def _keys(*lists: Any) -> tuple[str, ...]:
    """The keys of the items of these lists; none where they are told apart by nothing, or no lists."""
    for items in lists:
        if isinstance(items, list) and items:
            return KEYS.get(type(items[0]), ())
    return ()


def _items(
    now: Sequence[Strict], said: Sequence[Strict], once: Sequence[Strict], path: str
) -> tuple[list[Strict], list[str]]:
    there, wanted, before = (_by_key(items) for items in (now, said, once))
    found: list[Strict] = []
    overruled: list[str] = []
    for key, item in {**there, **wanted}.items():
        at = f"{path}[{' '.join(str(part) for part in key if part is not None)}]"
        if key not in wanted:
            if item != before.get(key):
                found.append(item)
        elif key not in there:
            found.append(item)
            if key in before:
                overruled.append(_told(at, None, item))
        else:
            one, told = merged(there[key], wanted[key], before.get(key), at)
            found.append(one)
            overruled += told
    return found, overruled


def _by_key(items: Sequence[Strict]) -> dict[tuple[Any, ...], Strict]:
    """Several of one key (two limits of one domain) are told apart by their order."""
    found: dict[tuple[Any, ...], Strict] = {}
    for item in items:
        key = tuple(getattr(item, part) for part in KEYS[type(item)])
        while key in found:
            key = (*key, "again")
        found[key] = item
    return found


def _labels(
    there: Mapping[str, str], wanted: Mapping[str, str], before: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    kept = {key: value for key, value in there.items() if key in wanted or value != before.get(key)}
    told = [
        _told(f"metadata.labels[{key}]", there.get(key), said)
        for key, said in wanted.items()
        if there.get(key) not in (said, before.get(key))
    ]
    return {**kept, **wanted}, told


def _told(path: str, now: Any, said: Any) -> str:
    return f"{path} is {_word(said)}, as the file says, and no longer {_word(now)}"


def _word(value: Any) -> str:
    if value is None or value == []:
        return "undeclared"
    if isinstance(value, Strict):
        return ", ".join(f"{key} {_word(one)}" for key, one in value.to_json().items() if one != [])
    return f"of {len(value)} parts" if isinstance(value, list | dict) else str(value)
