"""What was done against a breach of a real contract, as three records tell it: its status, the evidence, the events.

Each step is stated before it is done and judged afterwards; `in_order` says whether the records agree on that.
"""

from dataclasses import dataclass
from typing import Any

from tenure.quantities import parse_instant
from tests.requirements.home import House
from tests.requirements.served import active, until

REMEDY = "https://tenure.dev/evidence/remedy/v1"


@dataclass(frozen=True)
class Said:
    """One statement about a step: its place in the log, when it was stated, and what it says."""

    place: int
    at_ms: int
    body: dict[str, Any]


def steps(home: House, rung: str, since_ms: int, name: str = "chat") -> list[Any]:
    """The steps of a rung that were begun since then, by the contract's status, the oldest first."""
    found = active(home, name)
    remedies = found.status.remedies if found is not None and found.status is not None else []
    return [step for step in remedies if step.rung == rung and int(step.started_at) >= since_ms]


def judged(home: House, rung: str, since_ms: int, seconds: float) -> Any:
    """The first step of a rung since then, once windows have judged it."""

    def look() -> Any:
        taken = steps(home, rung, since_ms)
        return taken[0] if taken and taken[0].outcome != "InProgress" else None

    return until(look, seconds, lambda: told(home))


def told(home: House, name: str = "chat") -> str:
    """The steps, and the newest windows that they are judged by."""
    found = active(home, name)
    assert found is not None, "it is still under contract"
    assert found.status is not None
    windows = [(w.metric, w.verdict, w.reason, w.cause) for w in found.status.windows]
    return f"{found.status.remedies}; {windows}"


def kept(home: House, contract: str, since_ms: int = 0) -> int:
    """How many windows that began since then were kept, of the promise that has fewest, by the audit."""
    promises = home.tenure("contract", "audit", contract, "-o", "json").json["promises"]
    kept = [[w for w in p["windows"] if w["verdict"] == "Kept" and w["startMs"] >= since_ms] for p in promises]
    return min(len(windows) for windows in kept)


def in_order(home: House, contract: str, step: Any) -> Said:
    """That a step was stated before it was done, announced when it was, and judged after that, with the same cause and
    outcome in all records. Returns what was stated before."""
    begins, judged = (_statement(home, contract, step, stage) for stage in ("begins", "judged"))
    assert begins.body["cause"] == judged.body["cause"] == step.cause
    assert judged.body["outcome"] == step.outcome
    assert begins.place < judged.place
    event = _event(home, f"{step.rung}: {step.cause}; {step.did}")
    assert event["type"] == "Warning"
    announced_ms = parse_instant(event["firstTimestamp"])
    assert begins.at_ms <= announced_ms <= int(step.acted_at) <= judged.at_ms, "stated, done, announced, judged"
    assert _event(home, f"{step.rung}: {step.outcome}")
    return begins


def _statement(home: House, contract: str, step: Any, stage: str) -> Said:
    """What was stated of a step at a stage of it; exactly once."""
    key = f"remedy/{int(step.started_at)}/{step.rung}/{stage}"
    items = home.must("evidence", "show", contract, "--tail", 0, "-o", "json").json["items"]
    found = [one for one in items if one["predicate"]["id"].endswith(key)]
    assert [one["predicateType"] for one in found] == [REMEDY], f"{key} is stated once"
    return Said(found[0]["index"], parse_instant(found[0]["predicate"]["at"]), found[0]["predicate"]["body"])


def _event(home: House, message: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = home.must("events", "-o", "json").json["items"]
    found = [one for one in items if one["reason"] == "Remedied" and one["message"].startswith(message[:1000])]
    assert found, f"{message} was announced"
    return found[0]
