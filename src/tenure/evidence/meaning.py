"""What statements say must follow from what they stand on: inputs by digest, verdicts by computing them again."""

import hashlib
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from tenure.evidence.bundle_file import BundleFile
from tenure.evidence.canonical import digest
from tenure.evidence.coverage import ContradictionError, CountedBy, Owed, OwedBy, unjudged
from tenure.evidence.entries import Entry
from tenure.evidence.recomputing import Recompute, Work, recompute_all
from tenure.evidence.report import Failure, Report, Uncounted, of
from tenure.evidence.retirement import Retirements
from tenure.evidence.statements import Statement
from tenure.quantities import parse_instant

_INPUT = re.compile(rb'\{"sha256":"([0-9a-f]{64})","value":')
NOT_AS_STATED = "not what its digest says, or given twice"


def check_inputs(bundle: BundleFile, report: Report) -> tuple[dict[str, bytes], set[str]]:
    """The inputs' bytes by digest, and the digests of those that are not what theirs says.

    Signed statements name the digests, so every byte is vouched for before anyone parses it.
    """
    found: dict[str, bytes] = {}
    damaged: set[str] = set()
    for line in bundle.lines["input"]:
        head = _INPUT.match(line.value)
        if head is None or not line.value.endswith(b"}"):
            report.fail(Failure(f"line {line.number}", "input", "a digest and a value are expected"))
            continue
        sha256, raw = head[1].decode(), line.value[head.end() : -1]
        if hashlib.sha256(raw).hexdigest() != sha256 or sha256 in found:
            report.fail(Failure(f"input {sha256}", "value", NOT_AS_STATED))
            damaged.add(sha256)
        found[sha256] = raw
    return found, damaged


def check_meaning(
    entries: Sequence[Entry],
    inputs: Mapping[str, bytes],
    damaged: Set[str],
    recompute: Recompute | None,
    report: Report,
    *,
    owed: OwedBy | None,
    counted: CountedBy | None = None,
    whole: bool = True,
    created_ms: int,
    processes: int,
) -> dict[str, Any] | None:
    """What statements say follows from what they stand on, and all that is owed was stated. Returns the terms.

    `whole`: each statement is as it was made, and none is missing, so that what is counted over them can be told.
    """
    terms: dict[str, Any] | None = None
    for entry in entries:
        if entry.statement is not None and entry.statement.predicate == "contract":
            terms = _terms(entry, entry.statement, terms, report)
    used: set[str] = set()
    retirements = Retirements(entry.statement for entry in entries if entry.statement is not None)
    computable: list[Entry] = []
    judged: dict[str, list[tuple[int, int]]] = {}
    for entry in entries:
        statement = entry.statement
        if statement is None:
            continue
        report.statements[statement.predicate] += 1
        if statement.predicate == "window-verdict":
            report.verdicts[str(statement.body["verdict"])] += 1
            _note_window(entry, statement, judged, report)
        used.update(subject.sha256 for subject in statement.inputs)
        missing = [subject.name for subject in statement.inputs if subject.sha256 not in inputs]
        if missing and retirements.covers(statement):
            report.retired += 1
            continue
        for name in missing:
            report.fail(of(entry, f"$.predicate.inputs.{name}", "this input is not in the bundle"))
        changed = [subject.name for subject in statement.inputs if subject.sha256 in damaged]
        for name in changed:
            report.fail(of(entry, f"$.predicate.inputs.{name}", f"this input is {NOT_AS_STATED}"))
        if not missing and not changed:
            computable.append(entry)
    if recompute is not None:
        recompute_all(Work(computable, inputs, terms or {}, recompute), report, processes=processes)
    for sha256 in sorted(set(inputs) - used):
        report.fail(Failure(f"input {sha256}", "value", "no statement stands on it"))
    statements = [entry.statement for entry in entries if entry.statement is not None]
    report.judged_until_ms = min((max(end for _, end in spans) for spans in judged.values()), default=None)
    _check_counts(counted, terms, statements, report, whole=whole)
    report.unjudged = unjudged(_owed(owed, terms, statements, created_ms, report), judged)
    return terms


def _note_window(entry: Entry, statement: Statement, judged: dict[str, list[tuple[int, int]]], report: Report) -> None:
    instants = []
    for name in ("start", "end"):
        try:
            instants.append(parse_instant(str(statement.body[name])))
        except ValueError as error:
            report.fail(of(entry, f"$.predicate.body.{name}", str(error)))
            return
    judged.setdefault(str(statement.body["promise"]), []).append((instants[0], instants[1]))


def _check_counts(
    counted: CountedBy | None,
    terms: Mapping[str, Any] | None,
    statements: Sequence[Statement],
    report: Report,
    *,
    whole: bool,
) -> None:
    if counted is None or terms is None:
        return
    if not whole:  # what is named already would be named again by each figure that it went into
        report.uncounted.append(Uncounted(None, "statements that they follow from are damaged or missing"))
        return
    try:
        for found in counted(terms, statements):
            if isinstance(found, Uncounted):
                report.uncounted.append(found)
            else:
                _contradicts(found, report)
    except Exception as error:  # what was signed can be of any shape; none may stop the rest from being checked
        report.uncounted.append(Uncounted(None, f"what the terms and the statements give cannot be told: {error!r}"))


def contradicted(statement_id: str | None) -> str:
    """Where a statement is named that does not agree with others."""
    return f"statement ({statement_id})"


def _contradicts(error: ContradictionError, report: Report) -> None:
    where = contradicted(error.statement_id)
    report.fail(Failure(where, error.field, str(error), statement_id=error.statement_id))


def _owed(
    owed: OwedBy | None,
    terms: Mapping[str, Any] | None,
    statements: Sequence[Statement],
    created_ms: int,
    report: Report,
) -> Sequence[Owed]:
    if owed is None or terms is None:
        return ()
    try:
        return owed(terms, statements, created_ms)
    except ContradictionError as error:
        _contradicts(error, report)
        return ()
    except Exception as error:  # what was signed can be of any shape; none may stop the rest from being checked
        report.fail(Failure("terms", "$.predicate.body.terms", f"what they owe cannot be told: {error}"))
        return ()


def _terms(entry: Entry, statement: Statement, known: dict[str, Any] | None, report: Report) -> dict[str, Any]:
    """The terms that a contract statement gives: of that very contract, and once."""
    terms: dict[str, Any] = statement.body["terms"]
    if digest(terms) != statement.subjects[0].sha256:
        report.fail(of(entry, "$.predicate.body.terms", "not the terms of the contract that it is about"))
    if known is not None:
        report.fail(of(entry, "$.predicate.body.terms", "terms never change, and were stated before"))
    return terms if known is None else known
