"""`tenure why -o json` of a contract that has every field of its status says them by its schema."""

from typing import Any

from tenure.resources import Contract, Workload
from tenure.resources.kinds.contract import ContractStatus
from tests.cli.answers import NOW, active_status, contract_object, quote
from tests.cli.host import Shell
from tests.cli.test_json import follows_its_schema

SAID_OTHERWISE = {
    "endpoint",
    "credential",
    "run",
    "signature",
    "checkpoint",
    "observed_at",
    "memory_used",
    "ended_at",
    "ended_because",
    "observed_generation",
}
"""What is of no help in saying why: `tenure get -o json` has it."""
FULL: dict[str, Any] = active_status(
    observedGeneration=1,
    verdict="Breached",
    signature={"keyId": "k", "signedAt": NOW, "envelope": {}},
    windows=[
        {
            "metric": "timeToFirstToken",
            "percentile": "p95",
            "start": NOW,
            "end": "2096-12-01T09:00:10Z",
            "verdict": "Breached",
            "reason": "AboveBound",
        }
    ],
    observedAt=NOW,
    accounting=[{"metric": "timeToFirstToken", "percentile": "p95", "windows": 1, "breached": 1}],
    remedies=[{"rung": "restart", "cause": "interference", "startedAt": NOW}],
    reserve={"state": "InUse", "since": NOW, "because": "interference"},
    memoryUsed="1Gi",
    progress={"ratio": 0.5, "seenAt": NOW},
    endedAt=NOW,
    endedBecause="EndedByTerm",
    credit={"percent": 10, "promise": "timeToFirstToken p95", "windowsUsed": 1, "windowsInPeriod": 10},
)


def test_the_status_under_test_is_a_whole_one() -> None:
    assert set(ContractStatus.model_validate(FULL).model_fields_set) == set(ContractStatus.model_fields)


def test_what_the_offer_of_a_contract_did_not_keep_is_said(shell: Shell) -> None:
    unmet = [{"preference": "spread:rack", "asked": "at most 1 in one rack", "found": "3"}]
    metadata = {"name": "chat", "namespace": shell.namespace}
    need = {"apiVersion": "tenure.dev/v1alpha1", "kind": "Workload", "metadata": metadata}
    accepted, other = (quote(name, chosen={"unmet": unmet[:n]}) for name, n in (("chat-1", 1), ("chat-2", 0)))
    body = contract_object("chat-1", shell.namespace, "chat").spec.body.to_json()
    with shell.controllers() as client:
        client.create(Workload.model_validate({**need, "spec": body}))
        status = {"answer": {"kind": "Offers", "answeredAt": NOW, "quotes": [other, accepted]}}
        client.patch_status(Workload, "chat", {"status": status}, namespace=shell.namespace)
        client.create(contract_object("chat-1", shell.namespace, "chat"))
        client.create(contract_object("chat-2", shell.namespace, "chat"))
    said = "spread:rack, which was preferred; asked: at most 1 in one rack, found: 3"
    assert said in " ".join(shell.here("why", "contract/chat-1").out.split())
    assert "not kept" not in shell.here("why", "contract/chat-2").out


def test_all_that_came_of_a_contract_is_said(shell: Shell) -> None:
    with shell.controllers() as client:
        client.create(contract_object("chat-1", shell.namespace, "chat"))
        client.patch_status(Contract, "chat-1", {"status": FULL}, namespace=shell.namespace)
    said = follows_its_schema(shell.here("why", "contract/chat-1", "-o", "json"), "Why")
    told = ContractStatus.model_validate({name: said[name] for name in set(said) & set(FULL)}).model_fields_set
    assert told == set(ContractStatus.model_fields) - SAID_OTHERWISE
    assert said["remedies"][0]["rung"] == "restart"
    assert said["credit"]["percent"] == 10
