"""What was never stated. Sequence numbers show what was stated and left out; this shows what was not judged at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.evidence.report import Uncounted, Unjudged
from tenure.evidence.statements import Statement
from tenure.quantities import format_instant

Span = tuple[int, int]
"""From and to, Unix milliseconds, the end excluded."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A promise that owes a verdict on all of a span (Unix ms), and on nothing after it so far."""

    promise: str
    start_ms: int
    end_ms: int


class ContradictionError(ValueError):
    """A statement that does not agree with the others about its contract."""

    def __init__(self, statement_id: str, field: str, message: str) -> None:
        super().__init__(message)
        self.statement_id, self.field = statement_id, field


OwedBy = Callable[[Mapping[str, Any], Sequence[Statement], int], Sequence[Owed]]
"""What must have been judged, from a contract's signed terms, its statements in order, and the time of export (Unix
ms). Pure. Raises ContradictionError where they contradict each other."""


CountedBy = Callable[[Mapping[str, Any], Sequence[Statement]], Iterable[ContradictionError | Uncounted]]
"""Each statement of accounts or credit that does not follow from signed terms and the statements before it, and each of
which that cannot be told. Pure."""


def unjudged(owed: Sequence[Owed], judged: Mapping[str, Sequence[Span]]) -> list[Unjudged]:
    """Each span that no verdict covers: of what is owed, and between the first and last window of any promise. Where it
    is said until when a promise owes verdicts, one that is missing after that is still to come."""
    spans = {promise: list(windows) for promise, windows in judged.items()}
    until_ms = {one.promise: one.end_ms for one in owed}
    for one in owed:
        if one.start_ms < one.end_ms:
            spans.setdefault(one.promise, []).extend(((one.start_ms, one.start_ms), (one.end_ms, one.end_ms)))
    return [
        Unjudged(promise, format_instant(start), format_instant(end))
        for promise in sorted(spans)
        for start, end in _gaps(sorted(spans[promise]), until_ms.get(promise))
    ]


def _gaps(spans: Sequence[Span], until_ms: int | None) -> Iterator[Span]:
    reach = spans[0][1]
    for start, end in spans[1:]:
        if start > reach and (until_ms is None or reach < until_ms):
            yield reach, start if until_ms is None else min(start, until_ms)
        reach = max(reach, end)
