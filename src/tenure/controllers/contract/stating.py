"""Stating: what a verdict rests on goes into the evidence log before it is acted on. No statement, no action."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tenure.controllers.contract.oversize import too_large
from tenure.controllers.plane import Plane
from tenure.evidence import (
    Draft,
    Statement,
    Subject,
    contract_source,
    contract_statement,
    contract_subject,
)
from tenure.promises import JUDGE_VERSION, WindowEvidence, WindowVerdict
from tenure.quantities import Instant, format_instant, parse_instant
from tenure.resources import Contract
from tenure.resources.kinds.standing import Commissioning, CommissioningFigure, Signature

EVIDENCE_INPUT = "evidence"
ACTIVATION = "activation"
RECORD_BYTES_MAX = 15 << 20
"""Of one window's record, a little less than the log keeps of one input: it counts the canonical text."""
WRITE_BYTES_MAX = 16 << 20
"""Of the records in one write, beside a last one: a write holds 64 MiB, and a long catch-up more than that."""


def subject_of(contract: Contract) -> Subject:
    """The contract as statements name it."""
    return contract_subject(namespace=contract.namespace or "default", name=contract.name, spec=contract.spec.to_json())


def state(plane: Plane, contract: Contract, predicate: str, key: str, body: Mapping[str, Any]) -> None:
    """State one thing about a contract, once: `key` names it among the contract's statements of this sort.

    What was stated before a crash stands as it was said then.

    Raises NotWrittenError when it could not be made durable; the caller must then not do what it states.
    """
    source = contract_source(contract.uid)
    id = f"{source}/{predicate}/{key}"
    if plane.log.find(id) is not None:
        return
    plane.log.append(
        Statement(
            predicate=predicate,
            id=id,
            source=source,
            sequence=0,
            at_ms=plane.clock.now_ms(),
            subjects=(subject_of(contract),),
            body=body,
        )
    )


def stated(plane: Plane, contract: Contract, predicate: str, key: str) -> Statement | None:
    """What `state` stated under this key; None where it did not."""
    place = plane.log.find(f"{contract_source(contract.uid)}/{predicate}/{key}")
    return None if place is None else plane.log.statement(place)


def newest_stated_ms(plane: Plane, contract: Contract, before_ms: int) -> int | None:
    """When the newest of the contract's statements that are older than `before_ms` was made, Unix ms; None where there
    is none. Reads those that are not."""
    for place, _ in plane.log.newest_first(contract_source(contract.uid)):
        at_ms = plane.log.statement(place).at_ms
        if at_ms < before_ms:
            return at_ms
    return None


def state_terms(plane: Plane, contract: Contract) -> Signature:
    """Sign the terms and state them; stated again it is the same signature. Returns it for the contract's status.

    Signed is when the checkpoint of the activation was given, where it was: a verdict is owed from there on.
    """
    began = contract.status.commissioning.started_at if contract.status and contract.status.commissioning else None
    signed_at = int(began) if began is not None else int(contract.metadata.creation_timestamp or 0)
    receipt = plane.log.append(
        contract_statement(
            namespace=contract.namespace or "default",
            name=contract.name,
            uid=contract.uid,
            spec=contract.spec.to_json(),
            at_ms=signed_at,
        )
    )
    at_ms = activated_ms(plane, contract) or plane.clock.now_ms()
    return Signature(key_id=plane.keys.signing.id, signed_at=Instant(at_ms), envelope=dict(receipt.envelope))


def state_commissioning(plane: Plane, contract: Contract, measured: Commissioning) -> None:
    """What was measured before the signature, whether it held or not."""
    body = {"holds": bool(measured.holds), "figures": [figure.to_json() for figure in measured.figures]}
    state(plane, contract, "commissioning", format_instant(int(measured.started_at)), body)


def state_windows(
    plane: Plane, contract: Contract, judged: Sequence[tuple[WindowVerdict, WindowEvidence]]
) -> list[WindowVerdict]:
    """Settled verdicts with all that they rest on, in as few durable writes as their size permits; returns them as
    stated.

    A window that was stated before a crash keeps the verdict that was stated. Raises NotWrittenError; what was written
    before it stays stated, and is found again.
    """
    source, subject = contract_source(contract.uid), subject_of(contract)
    stated: list[WindowVerdict] = []
    drafts: list[Draft] = []
    waiting_bytes = 0
    # The promises of one window rest on the same evidence: one record, which the log then stores once.
    records: dict[int, tuple[dict[str, Any], int]] = {}
    for verdict, evidence in judged:
        statement_id = f"{source}/window/{verdict.window.start_ms}/{verdict.promise}"
        place = plane.log.find(statement_id)
        if place is not None:
            stated.append(verdict_of(plane.log.statement(place).body))
            continue
        if id(evidence) not in records:
            record = evidence.as_record()
            records[id(evidence)] = record, len(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode())
            fresh_bytes = records[id(evidence)][1]
        else:
            fresh_bytes = 0
        record, size = records[id(evidence)]
        if size > RECORD_BYTES_MAX:
            verdict, small = too_large(verdict, evidence, size)
            record, fresh_bytes = small.as_record(), 0
        elif drafts and waiting_bytes + fresh_bytes > WRITE_BYTES_MAX:
            plane.log.append_all(drafts)
            drafts, waiting_bytes = [], 0
        stated.append(verdict)
        statement = Statement(
            predicate="window-verdict",
            id=statement_id,
            source=source,
            sequence=0,
            at_ms=plane.clock.now_ms(),
            subjects=(subject,),
            body=verdict_body(verdict),
        )
        drafts.append(Draft(statement, {EVIDENCE_INPUT: record}))
        waiting_bytes += fresh_bytes
    if drafts:
        plane.log.append_all(drafts)
    return stated


def verdict_of(body: Mapping[str, Any]) -> WindowVerdict:
    """The verdict that a statement's body says: the inverse of `verdict_body`."""
    window = {"startMs": parse_instant(str(body["start"])), "endMs": parse_instant(str(body["end"]))}
    return WindowVerdict.from_record({**body, **window})


def verdict_body(verdict: WindowVerdict) -> dict[str, Any]:
    """A verdict as its statement says it; a stranger computes the same from the evidence and the terms."""
    record = verdict.as_record()
    return {
        "judge": JUDGE_VERSION,
        "promise": record["promise"],
        "start": format_instant(verdict.window.start_ms),
        "end": format_instant(verdict.window.end_ms),
        "verdict": record["verdict"],
        "reason": record["reason"],
        "fault": record["fault"],
        "detail": record["detail"],
        "observed": record["observed"],
        "bound": record["bound"],
        "requests": record["requests"],
    }


def activated_ms(plane: Plane, contract: Contract) -> int | None:
    """When the checkpoint of its activation was given, Unix ms: from then on every window is owed a verdict. None where
    it was not given yet."""
    given = stated(plane, contract, "checkpoint", ACTIVATION)
    return None if given is None else given.at_ms


def commissioning_of(plane: Plane, contract: Contract) -> Commissioning | None:
    """What `state_commissioning` stated of the measurement that began when the contract's status says."""
    began = contract.status.commissioning if contract.status else None
    said = stated(plane, contract, "commissioning", format_instant(int(began.started_at))) if began else None
    if began is None or said is None:
        return None
    figures = [CommissioningFigure.model_validate(figure) for figure in said.body["figures"]]
    return Commissioning(
        started_at=began.started_at, finished_at=Instant(said.at_ms), holds=said.body["holds"], figures=figures
    )


def checkpoint_of(plane: Plane, contract: Contract) -> str:
    """The signed checkpoint that the contract's user gets at activation, against which bundles are proved complete."""
    return plane.log.issue_checkpoint(
        contract_source(contract.uid),
        purpose=ACTIVATION,
        subjects=[subject_of(contract)],
        at_ms=plane.clock.now_ms(),
    )
