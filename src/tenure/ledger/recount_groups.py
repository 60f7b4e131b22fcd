"""What holds of one group take together: offers are alternatives, contracts are not. Pure.

Of offers one will come to stand, beside a contract that it would replace: the greatest counts. Two contracts both
stand, and add up, unless one replaces the other: a successor has its predecessor's place until that one is gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tenure.ledger.records import Record

Side = tuple[str, str]
"""A group, and the line of contracts in it that succeed each other; an offer's line is empty."""


def sides(live: Sequence[Record]) -> dict[str, Side]:
    """The side on which each record counts, by its uid."""
    before = {
        _named(record, record.name): _named(record, record.replaces)
        for record in live
        if record.kind == "Contract" and record.replaces is not None
    }
    return {
        record.uid: (
            record.hold.group or record.hold.id,
            _first(_named(record, record.name), before) if record.kind == "Contract" else "",
        )
        for record in live
    }


def together(amounts: Iterable[tuple[Side, int]]) -> int:
    """The greatest of a line, and of a group the greater of its offers and the sum of its contracts' lines."""
    greatest: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (group, line), amount in amounts:
        greatest[group][line] = max(greatest[group][line], amount)
    return sum(max(lines.get("", 0), sum(n for line, n in lines.items() if line)) for lines in greatest.values())


def _named(record: Record, name: str | None) -> str:
    return f"{record.namespace}/{name}"


def _first(name: str, before: Mapping[str, str]) -> str:
    """The contract at the head of a line. A circle, which nobody can sign, ends where it began."""
    seen = {name}
    while name in before and before[name] not in seen:
        name = before[name]
        seen.add(name)
    return name
