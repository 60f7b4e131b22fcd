"""A contract's latency promises as the judge takes them, and a verdict computed again from recorded evidence. Pure.

Used while a contract runs and, offline, by whoever verifies a bundle.
"""

from collections.abc import Mapping
from typing import Any

from tenure.controllers.contract.judge import objective_of
from tenure.controllers.contract.stating import EVIDENCE_INPUT, verdict_body
from tenure.evidence import Statement
from tenure.promises import Assurance, Load, Promise, Window, WindowEvidence, judge
from tenure.quantities import parse_instant
from tenure.resources.kinds.allocation import Promises


def promises_of(promises: Promises) -> list[Promise]:
    """The latency promises of a contract's terms."""
    if promises.load is None:
        return []
    declared = Load(int(promises.load.requests_per_second), promises.load.prompt_tokens, promises.load.output_tokens)
    found = []
    for promise in promises.statistical:
        objective = objective_of(promise)
        if objective is not None:
            assurance = Assurance(promise.window.ms, promise.share.value, promise.confidence.value)
            found.append(Promise(objective, declared, assurance))
    return found


def recompute(statement: Statement, inputs: Mapping[str, Any], terms: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a window verdict's statement must say, from its evidence and the signed terms; None for other statements.

    Raises ValueError when the terms know no such promise or the evidence cannot be read.
    """
    if statement.predicate != "window-verdict":
        return None
    promises = {p.name: p for p in promises_of(Promises.model_validate(terms["promises"]))}
    name = str(statement.body["promise"])
    if name not in promises:
        raise ValueError(f"the terms promise no {name}")
    try:
        evidence = WindowEvidence.from_record(inputs[EVIDENCE_INPUT])
    except KeyError as error:
        raise ValueError(f"the evidence lacks {error}") from None
    window = Window(parse_instant(str(statement.body["start"])), parse_instant(str(statement.body["end"])))
    return verdict_body(judge(promises[name], window, evidence))
