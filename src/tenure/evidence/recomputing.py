"""Computing verdicts again from their inputs, on as many cores as there are."""

import json
import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tenure.evidence.canonical import Json
from tenure.evidence.contracts import first_difference
from tenure.evidence.entries import Entry
from tenure.evidence.report import Failure, Report, of
from tenure.evidence.statements import Statement

Recompute = Callable[[Statement, Mapping[str, Json], Mapping[str, Any]], Mapping[str, Json] | None]
"""What a statement's body must say, from the values of its inputs (by name) and the contract's signed terms.

Pure. Returns the members of the body that follow from the inputs, or None for a sort of statement that says nothing
computable. A ValueError means that the inputs do not permit the computation; OtherJudgeError that another version would
have to do it.
"""


class OtherJudgeError(Exception):
    """A verdict is by a version of the judge that this program does not have: not seen to be right, nor wrong."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version


@dataclass(slots=True)
class Found:
    """What computing some statements again found."""

    recomputed: int = 0
    failures: list[Failure] = field(default_factory=list)
    other_judges: Counter[str] = field(default_factory=Counter)


PARALLEL_FROM = 500
"""Statements below which starting processes costs more than it saves."""
CHUNKS_PER_PROCESS = 4


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be computed: entries with statements, in order, the bytes of their inputs, the signed terms."""

    entries: Sequence[Entry]
    inputs: Mapping[str, bytes]
    terms: Mapping[str, Any]
    recompute: Recompute


_inherited: Work | None = None
"""The work of forked processes: they find it in their memory, so that nothing has to be copied to them."""


def recompute_all(work: Work, report: Report, *, processes: int) -> None:
    """Compute each statement again and report every member that differs.

    With `processes` above 1 the work is spread by fork, where this process has no other thread that a fork could
    catch in the middle of something.
    """
    count = len(work.entries)
    if processes <= 1 or count < PARALLEL_FROM or threading.active_count() > 1 or not _can_fork():
        found = [_compute(work, 0, count)]
    else:
        found = _spread(work, count, processes)
    for part in found:
        report.recomputed += part.recomputed
        report.other_judges += part.other_judges
        for failure in part.failures:
            report.fail(failure)


def _spread(work: Work, count: int, processes: int) -> list[Found]:
    global _inherited
    size = -(-count // (processes * CHUNKS_PER_PROCESS))
    _inherited = work
    try:
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
            return list(pool.map(_compute_inherited, range(0, count, size), range(size, count + size, size)))
    finally:
        _inherited = None


def _compute_inherited(begin: int, end: int) -> Found:
    if _inherited is None:
        raise AssertionError("called in a forked process only")
    return _compute(_inherited, begin, end)


def _compute(work: Work, begin: int, end: int) -> Found:
    """How many statements were computable, and what differs in them."""
    values, found = _Values(work.inputs), Found()
    for entry in work.entries[begin:end]:
        statement = entry.statement
        if statement is None:
            continue
        try:
            expected = work.recompute(statement, values.of(statement), work.terms)
        except OtherJudgeError as other:
            found.other_judges[other.version] += 1
            continue
        except Exception as error:  # what was signed can be of any shape; none may stop the rest from being checked
            why = str(error) if isinstance(error, ValueError) else repr(error)
            message = f"the verdict cannot be recomputed from them: {why}"
            found.failures.append(of(entry, "$.predicate.inputs", message))
            continue
        if expected is None:
            continue
        found.recomputed += 1
        for name in sorted(expected):
            stated = statement.body.get(name)
            difference = first_difference(expected[name], stated, f"$.predicate.body.{name}")
            if difference:
                message = f"states {stated!r}; the samples say {expected[name]!r}"
                found.failures.append(of(entry, difference, message))
    return found


def _can_fork() -> bool:
    return "fork" in multiprocessing.get_all_start_methods()


class _Values:
    """Parsed inputs. Verdicts on one window follow each other and share theirs, so the last few are kept."""

    def __init__(self, raw: Mapping[str, bytes]) -> None:
        self._raw = raw
        self._parsed: dict[str, Json] = {}

    def of(self, statement: Statement) -> dict[str, Json]:
        """A statement's inputs by name; one that is no JSON is None."""
        return {subject.name: self._value(subject.sha256) for subject in statement.inputs}

    def _value(self, sha256: str) -> Json:
        if sha256 not in self._parsed:
            if len(self._parsed) >= 4:
                self._parsed.pop(next(iter(self._parsed)))
            try:
                self._parsed[sha256] = json.loads(self._raw[sha256])
            except (ValueError, RecursionError):
                self._parsed[sha256] = None
        return self._parsed[sha256]
