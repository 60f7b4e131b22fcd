"""What statements say must follow from what they stand on: inputs by their digests, verdicts by computing them again."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tenure.evidence.bundle_file import BundleFile, members, parse
from tenure.evidence.canonical import Json, digest
from tenure.evidence.contracts import first_difference
from tenure.evidence.entries import Entry
from tenure.evidence.report import Failure, Report
from tenure.evidence.statements import Statement

Recompute = Callable[[Statement, Mapping[str, Json], Mapping[str, Any]], Mapping[str, Json] | None]
"""What a statement's body must say, from the values of its inputs (by name) and the contract's signed terms.

Pure. Returns the members of the body that follow from the inputs, or None for a sort of statement that says nothing
computable. A ValueError means that the inputs do not permit the computation.
"""


def check_inputs(bundle: BundleFile, report: Report) -> dict[str, Json]:
    """The inputs by digest, each seen to be what its digest says."""
    found: dict[str, Json] = {}
    for line in bundle.lines["input"]:
        value = members(parse(line), {"sha256", "value"}, "input")
        # The line is canonical, so the value's own bytes are what follows the digest.
        raw = line.value.partition(b'","value":')[2][:-1]
        if hashlib.sha256(raw).hexdigest() != value["sha256"] or value["sha256"] in found:
            report.fail(Failure(f"input {value['sha256']}", "value", "not what its digest says, or given twice"))
        found[str(value["sha256"])] = value["value"]
    return found


def check_meaning(
    entries: Sequence[Entry],
    inputs: Mapping[str, Json],
    recompute: Recompute | None,
    report: Report,
) -> None:
    """What statements say follows from what they stand on."""
    terms = next(
        (e.statement.body["terms"] for e in entries if e.statement and e.statement.predicate == "contract"), {}
    )
    used: set[str] = set()
    for entry in entries:
        statement = entry.statement
        if statement is None:
            continue
        report.statements[statement.predicate] += 1
        if statement.predicate == "window-verdict":
            report.verdicts[str(statement.body["verdict"])] += 1
        if statement.predicate == "contract" and digest(terms) != statement.subjects[0].sha256:
            report.fail(of(entry, "$.predicate.body.terms", "not the terms of the contract that it is about"))
        used.update(subject.sha256 for subject in statement.inputs)
        missing = [subject.name for subject in statement.inputs if subject.sha256 not in inputs]
        for name in missing:
            report.fail(of(entry, f"$.predicate.inputs.{name}", "this input is not in the bundle"))
        if recompute is not None and not missing:
            _recompute(entry, statement, {s.name: inputs[s.sha256] for s in statement.inputs}, terms, recompute, report)
    for sha256 in sorted(set(inputs) - used):
        report.fail(Failure(f"input {sha256}", "value", "no statement stands on it"))


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
    except (ValueError, KeyError, TypeError) as error:
        report.fail(of(entry, "$.predicate.inputs", f"the verdict cannot be recomputed from them: {error}"))
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
