"""What statements say must follow from what they stand on: inputs by digest, verdicts by computing them again."""

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tenure.evidence.bundle_file import BundleFile
from tenure.evidence.canonical import Json, digest
from tenure.evidence.contracts import first_difference
from tenure.evidence.entries import Entry
from tenure.evidence.errors import BundleError
from tenure.evidence.report import Failure, Report, Unjudged
from tenure.evidence.statements import Statement

Recompute = Callable[[Statement, Mapping[str, Json], Mapping[str, Any]], Mapping[str, Json] | None]
"""What a statement's body must say, from the values of its inputs (by name) and the contract's signed terms.

Pure. Returns the members of the body that follow from the inputs, or None for a sort of statement that says nothing
computable. A ValueError means that the inputs do not permit the computation.
"""


_INPUT = re.compile(rb'\{"sha256":"([0-9a-f]{64})","value":')


def check_inputs(bundle: BundleFile, report: Report) -> dict[str, bytes]:
    """The inputs' bytes by digest, each seen to be what its digest says.

    Signed statements name the digests, so every byte is vouched for before anyone parses it.
    """
    found: dict[str, bytes] = {}
    for line in bundle.lines["input"]:
        head = _INPUT.match(line.value)
        if head is None or not line.value.endswith(b"}"):
            raise BundleError(f"line {line.number}: a digest and a value are expected", path="input")
        sha256, raw = head[1].decode(), line.value[head.end() : -1]
        if hashlib.sha256(raw).hexdigest() != sha256 or sha256 in found:
            report.fail(Failure(f"input {sha256}", "value", "not what its digest says, or given twice"))
        found[sha256] = raw
    return found


def check_meaning(
    entries: Sequence[Entry],
    inputs: Mapping[str, bytes],
    recompute: Recompute | None,
    report: Report,
) -> None:
    """What statements say follows from what they stand on."""
    terms: dict[str, Any] | None = None
    for entry in entries:
        if entry.statement is not None and entry.statement.predicate == "contract":
            terms = _terms(entry, entry.statement, terms, report)
    used: set[str] = set()
    values = _Values(inputs)
    judged: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        statement = entry.statement
        if statement is None:
            continue
        report.statements[statement.predicate] += 1
        if statement.predicate == "window-verdict":
            report.verdicts[str(statement.body["verdict"])] += 1
            judged.setdefault(str(statement.body["promise"]), []).append(
                (str(statement.body["start"]), str(statement.body["end"]))
            )
        used.update(subject.sha256 for subject in statement.inputs)
        missing = [subject.name for subject in statement.inputs if subject.sha256 not in inputs]
        for name in missing:
            report.fail(of(entry, f"$.predicate.inputs.{name}", "this input is not in the bundle"))
        if recompute is not None and not missing:
            _recompute(entry, statement, values.of(statement), terms or {}, recompute, report)
    for sha256 in sorted(set(inputs) - used):
        report.fail(Failure(f"input {sha256}", "value", "no statement stands on it"))
    report.unjudged = [gap for promise in sorted(judged) for gap in _gaps(promise, judged[promise])]


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


def _gaps(promise: str, windows: Sequence[tuple[str, str]]) -> list[Unjudged]:
    """The spans between a promise's first and last window that no verdict covers.

    Sequence numbers show what was stated and left out; this shows what was never stated. RFC 3339 texts in UTC, as all
    statements have them, sort as the instants do.
    """
    ordered = sorted(windows)
    pairs = itertools.pairwise(ordered)
    return [Unjudged(promise, end, start) for (_, end), (start, _) in pairs if start > end]


def _terms(entry: Entry, statement: Statement, known: dict[str, Any] | None, report: Report) -> dict[str, Any]:
    """The terms that a contract statement gives: of that very contract, and once."""
    terms: dict[str, Any] = statement.body["terms"]
    if digest(terms) != statement.subjects[0].sha256:
        report.fail(of(entry, "$.predicate.body.terms", "not the terms of the contract that it is about"))
    if known is not None:
        report.fail(of(entry, "$.predicate.body.terms", "terms never change, and were stated before"))
    return terms if known is None else known


def _recompute(
    entry: Entry,
    statement: Statement,
    values: Mapping[str, Json],
    terms: Mapping[str, Any],
    recompute: Recompute,
    report: Report,
) -> None:
    try:
        expected = recompute(statement, values, terms)
    except Exception as error:  # what was signed can be of any shape; none may stop the rest from being checked
        report.fail(of(entry, "$.predicate.inputs", f"the verdict cannot be recomputed from them: {error!r}"))
        return
    if expected is None:
        return
    report.recomputed += 1
    for name in sorted(expected):
        difference = first_difference(expected[name], statement.body.get(name), f"$.predicate.body.{name}")
        if difference:
            report.fail(
                of(entry, difference, f"states {statement.body.get(name)!r}; the samples say {expected[name]!r}")
            )


def of(entry: Entry, field: str, message: str) -> Failure:
    """A failure of one statement."""
    return Failure(entry.where, field, message, entry.index, entry.id)
