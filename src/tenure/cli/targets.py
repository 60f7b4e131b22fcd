"""Which objects a command line means: `get offers,contracts`, `workload chat`, `ct/chat-1 wl/chat`, `all`."""

from collections.abc import Sequence
from dataclasses import dataclass

from tenure.cli import failures
from tenure.resources import KINDS, Kind, kind_named
from tenure.resources.spelling import did_you_mean


@dataclass(frozen=True, slots=True)
class Target:
    """One object by name, or with `name` None all of a kind."""

    kind: Kind
    name: str | None = None


def parse_targets(words: Sequence[str]) -> list[Target]:
    """The objects that the words of a command line name. Raises Failure (usage) with a near spelling."""
    if not words:
        raise failures.usage(
            "say which kind of objects",
            "for example `tenure get workloads`; `tenure api-resources` lists the kinds",
        )
    if not all(words):
        raise failures.usage("a name is empty", "name the object; a variable of the shell that is not set is nothing")
    if any("/" in word for word in words):
        return [_slashed(word) for word in words]
    kinds = [kind for part in words[0].split(",") if part for kind in kinds_named(part)]
    if len(words) == 1:
        return [Target(kind) for kind in kinds]
    return [Target(kind, name) for kind in kinds for name in words[1:]]


def one_target(words: Sequence[str]) -> Target:
    """Exactly one object: `KIND NAME` or `KIND/NAME`. Raises Failure (usage)."""
    targets = parse_targets(words)
    if len(targets) != 1 or targets[0].name is None:
        raise failures.usage("name exactly one object", "write KIND NAME or KIND/NAME")
    return targets[0]


def kinds_named(word: str) -> list[Kind]:
    """The kinds behind one word: a kind's names, a category such as `tenure`, or `all`. Raises Failure (usage)."""
    if word in ("all", "tenure"):
        return [kind for kind in KINDS if "tenure" in kind.categories]
    return [the_kind(word)]


def the_kind(word: str) -> Kind:
    """The kind of that name, however it is spelled. Raises Failure (usage)."""
    kind = kind_named(word)
    if kind is not None:
        return kind
    spellings = [name for kind in KINDS for name in (kind.singular, kind.plural, *kind.short_names)]
    meant = did_you_mean(word, spellings)
    question = f"; did you mean {meant}?" if meant else ""
    raise failures.usage(f"no kind {word!r} is served{question}", "see `tenure api-resources`", "UnknownKind")


def _slashed(word: str) -> Target:
    kind, slash, name = word.partition("/")
    if not slash or not kind or not name or "/" in name:
        raise failures.usage(f"{word!r} is not KIND/NAME", "write every object as KIND/NAME, or KIND and then names")
    return Target(the_kind(kind), name)
