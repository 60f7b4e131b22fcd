"""Checking what was stated, offline: verdicts drawn again from their evidence, and what must have been judged. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tenure.controllers.contract.deadline import PREDICATE as COMPLETION
from tenure.controllers.contract.deadline import completion_body, due_ms
from tenure.controllers.contract.stating import ACTIVATION, EVIDENCE_INPUT, verdict_body
from tenure.controllers.contract.terms import promises_of
from tenure.evidence import ContradictionError, OtherJudgeError, Owed, Statement
from tenure.measurement import windows_of
from tenure.promises import (
    JUDGED_ALIKE,
    PROBE_PATIENCE_MS,
    Promise,
    Reason,
    Window,
    WindowEvidence,
    WorkSeen,
    ended_text,
    judge,
    period_ms_of,
)
from tenure.promises.overlong import patience_ms
from tenure.quantities import parse_instant
from tenure.resources.kinds.allocation import Promises

UNNAMED_JUDGE = "0"
"""Statements that name no version are older than versions."""


class Recomputing:
    """Draws the verdicts of one bundle again. It keeps the terms and the evidence that it has just read, because many
    verdicts rest on the same; what it says depends on its arguments alone."""

    def __init__(self) -> None:
        self._terms: Mapping[str, Any] | None = None
        self._promises: dict[str, Promise] = {}
        self._record: Any = None
        self._evidence: WindowEvidence | None = None

    def __call__(
        self, statement: Statement, inputs: Mapping[str, Any], terms: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """What a verdict's statement must say, from its evidence and the signed terms; None for others.

        Raises ValueError when the terms know no such promise or the evidence cannot be read, OtherJudgeError when
        the verdict was drawn by another version of the judge.
        """
        if statement.predicate == "retirement":
            _check_retirement(statement, terms)
            return None
        if statement.predicate == COMPLETION:
            return _completion(statement, terms)
        if statement.predicate != "window-verdict":
            return None
        version = str(statement.body.get("judge", UNNAMED_JUDGE))
        tolerance = JUDGED_ALIKE.get(version)
        if tolerance is None:
            raise OtherJudgeError(version)
        if terms is not self._terms:
            self._promises = {p.name: p for p in promises_of(Promises.model_validate(terms["promises"]))}
            self._terms = terms
        name = str(statement.body["promise"])
        if name not in self._promises:
            raise ValueError(f"the terms promise no {name}")
        evidence = self._read(inputs)
        window = Window(parse_instant(str(statement.body["start"])), parse_instant(str(statement.body["end"])))
        return verdict_body(judge(self._promises[name], window, evidence, tolerance)) | {"judge": version}

    def _read(self, inputs: Mapping[str, Any]) -> WindowEvidence:
        try:
            record = inputs[EVIDENCE_INPUT]
            if self._evidence is None or record is not self._record:
                self._evidence, self._record = WindowEvidence.from_record(record), record
        except KeyError as error:
            raise ValueError(f"the evidence lacks {error}") from None
        return self._evidence


def _completion(statement: Statement, terms: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the statement on a deadline must say: the deadline that both signed, and what follows for work seen so."""
    by_ms = due_ms(terms)
    if by_ms is None:
        raise ValueError("the terms promise no completion")
    seen = WorkSeen.from_record(statement.body)
    if max(seen.seen_ms, seen.ended_ms or 0) > statement.at_ms:
        raise ValueError("the work was seen later than this was stated")
    found = completion_body(by_ms, seen)
    if found is None:
        raise ValueError("it could still go either way then")
    return found


def _check_retirement(statement: Statement, terms: Mapping[str, Any]) -> None:
    """Nothing that a verdict stands on may be given up before the retention that both signed is over."""
    retention = Promises.model_validate(terms["promises"]).retention
    before_ms = parse_instant(str(statement.body["before"]))
    if retention is None or before_ms > statement.at_ms - retention.ms:
        raise ValueError(f"samples were given up before their retention ({retention or 'none is said'}) was over")


def recompute(statement: Statement, inputs: Mapping[str, Any], terms: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """One statement, on its own: see `Recomputing`."""
    return Recomputing()(statement, inputs, terms)


def owed(terms: Mapping[str, Any], statements: Sequence[Statement], created_ms: int) -> list[Owed]:
    """The span in which each promise owes a verdict on every window: from activation to the end of the contract.

    Windows that the judge may still have left open at the export (`created_ms`, Unix ms) are not owed yet, unless the
    contract is settled: then nothing is open any more. Each promise is named, also where it owes nothing so far.
    A known hole: a floor of a rate waits for an answer within the declared length however long it goes on, which
    signed terms do not tell; such a window reads as unjudged after five minutes, until it is judged.

    Raises ContradictionError where a window is said to be cut by an end that was not the contract's.
    """
    at_ms = {s.id.removeprefix(f"{s.source}/"): s.at_ms for s in statements}
    began_ms = at_ms.get(f"checkpoint/{ACTIVATION}", at_ms.get("terms"))
    if began_ms is None:
        return []
    over_ms = min(parse_instant(str(terms["term"]["end"])), created_ms)
    for statement in statements:
        if statement.predicate == "ending" and "at" in statement.body:
            over_ms = min(over_ms, parse_instant(str(statement.body["at"])))
    _check_cuts(statements, over_ms)
    settled = _is_settled(statements)
    if settled:
        _check_deadline(terms, statements)
    found = []
    for promise in promises_of(Promises.model_validate(terms["promises"])):
        length_ms = promise.assurance.window_ms
        # One window more: so long it may take until somebody looks again.
        open_ms = 0 if settled else max(length_ms, PROBE_PATIENCE_MS, patience_ms(promise)) + length_ms
        windows = windows_of(began_ms, min(over_ms, created_ms - open_ms), length_ms)
        start_ms, end_ms = (windows[0].start_ms, windows[-1].end_ms) if windows else (began_ms, began_ms)
        found.append(Owed(promise.name, start_ms, end_ms))
    return found


def _check_deadline(terms: Mapping[str, Any], statements: Sequence[Statement]) -> None:
    """A contract that is settled has a verdict on its deadline, if it promised one."""
    if due_ms(terms) is not None and not any(s.predicate == COMPLETION for s in statements):
        last = statements[-1]
        raise ContradictionError(last.id, "$.predicate.body", "settled without a verdict on its deadline")


def speaks_for(terms: Mapping[str, Any], statements: Sequence[Statement]) -> int | None:
    """For how long (ms) a bundle answers for its contract: one accounting period, or for good once it is settled."""
    if _is_settled(statements):
        return None
    term = terms["term"]
    return period_ms_of(parse_instant(str(term["end"])) - parse_instant(str(term["start"])))


def _is_settled(statements: Sequence[Statement]) -> bool:
    return any(s.predicate == "ending" and s.body.get("stage") == "settled" for s in statements)


def _check_cuts(statements: Sequence[Statement], over_ms: int) -> None:
    """Only the end of the contract excuses a window from being settled, so it must be that very end."""
    for statement in statements:
        if statement.predicate != "window-verdict" or statement.body["reason"] != Reason.CUT_BY_END:
            continue
        said, so = str(statement.body["detail"]), ended_text(over_ms)
        if not said.startswith(f"{so}:"):
            raise ContradictionError(statement.id, "$.predicate.body.detail", f"says that {said!r}; {so}")
