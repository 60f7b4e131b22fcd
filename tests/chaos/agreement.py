"""Whether contracts, evidence log and what really runs say the same; what does not is told in a line each."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tenure.evidence import KeyRing, LogReader, contract_source
from tenure.resources import Contract

SETTLED = "ending/settled"


@dataclass(frozen=True, slots=True)
class Stated:
    """What the evidence log says of the contracts, by their uids."""

    signed: frozenset[str]
    ending: frozenset[str]
    settled: frozenset[str]
    because: Counter[str] = field(default_factory=Counter)
    """How many of the settled ended for which reason."""


def stated(home: Path) -> Stated:
    """Read it beside whoever writes it."""
    log = LogReader.open(home / "evidence", keys=KeyRing.read(home / "keys"))
    try:
        prefix = contract_source("")
        uids = [source.removeprefix(prefix) for source in log.sources() if source.startswith(prefix)]

        def having(id: str) -> frozenset[str]:
            return frozenset(uid for uid in uids if log.find(f"{contract_source(uid)}/{id}") is not None)

        def reason(uid: str) -> str:
            place = log.find(f"{contract_source(uid)}/{SETTLED}")
            assert place is not None, "it is settled"
            return str(log.statement(place).body["because"])

        settled = having(SETTLED)
        return Stated(having("terms"), having("ending/ending"), settled, Counter(map(reason, settled)))
    finally:
        log.close()


def log_differences(contracts: Iterable[Contract], said: Stated) -> list[str]:
    """Where the contracts and the log differ, once nothing is under way any more."""
    phases = {c.uid: c.status.phase if c.status else "Proposed" for c in contracts}
    found = []
    for uid, phase in phases.items():
        if phase == "Active" and uid not in said.signed:
            found.append(f"{uid} is Active, and its terms were never stated")
        if phase == "Active" and uid in said.ending:
            found.append(f"{uid} is Active, and its end was stated")
        if phase == "Ended" and uid not in said.settled:
            found.append(f"{uid} is Ended, and the log does not say how")
    for uid in sorted(said.signed - said.ending):
        if phases.get(uid) != "Active":
            found.append(f"{uid} was signed and never ended by the log, and it is {phases.get(uid, 'gone')}")
    found += [f"{uid} began to end by the log, and never did" for uid in sorted(said.ending - said.settled)]
    return found


def lost_acceptances(
    contracts: Iterable[Contract], accepted: Mapping[str, str], ended: Collection[str], now_ms: int
) -> list[str]:
    """Acceptances (contract to workload) that were acknowledged to a user and are neither an Active contract nor one
    whose term was over by `now_ms`, although that user has not ended or deleted it."""
    stands = {c.name for c in contracts if c.status and (c.status.phase == "Active" or _over_in_time(c, now_ms))}
    return [
        f"{name} was accepted for {workload}, and is neither Active nor over by its term"
        for name, workload in accepted.items()
        if workload not in ended and name not in stands
    ]


def _over_in_time(contract: Contract, now_ms: int) -> bool:
    because = contract.status.ended_because if contract.status else None
    return because == "EndedByTerm" and int(contract.spec.term.end) <= now_ms
