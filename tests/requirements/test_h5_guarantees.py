"""H5: accepted means reserved, signed and accountable, and an independent recount confirms the sum of all."""

import pytest

from tenure.evidence import PublicKey, SignatureError, verify_contract
from tenure.resources import Contract
from tests.requirements.home import House

pytestmark = pytest.mark.real


def test_a_request_becomes_a_signed_contract_and_the_recount_agrees(home: House) -> None:
    home.must("request", "-f", home.command("sure"), "--accept", "best")
    found = Contract.model_validate(home.must("get", "contracts", "-o", "json").json["items"][0])
    assert found.status is not None
    assert found.status.phase == "Active"
    assert found.status.signature is not None
    verify(home, found)
    checked = home.tenure("ledger", "check", "-o", "json")
    assert checked.code == 0
    assert checked.json["runs"] == checked.json["holds"] == 1


def test_twin_terms_that_were_changed_do_not_verify(home: House) -> None:
    found = Contract.model_validate(home.must("get", "contracts", "-o", "json").json["items"][0])
    later = type(found.spec.term.end)(int(found.spec.term.end) + 3_600_000)
    longer = found.spec.model_copy(update={"term": found.spec.term.model_copy(update={"end": later})})
    with pytest.raises(SignatureError, match=r"term|differs"):
        verify(home, found.model_copy(update={"spec": longer}))


def test_twin_what_is_held_is_not_sold_again(home: House) -> None:
    machine = home.must("get", "machines", "-o", "json").json["items"][0]
    cores = len(machine["status"]["sellableCores"])
    said = home.tenure("request", "-f", home.command("greedy", extra=f"  resources: {{cores: {cores}}}\n"))
    assert said.code == 6, "not now; later is offered"
    assert home.tenure("ledger", "check").code == 0


def verify(home: House, found: Contract) -> None:
    assert found.status is not None
    assert found.status.signature is not None
    key = PublicKey.parse(home.must("evidence", "show", "--public-key").out)
    verify_contract(
        found.status.signature.envelope,
        namespace=found.namespace or "",
        name=found.name,
        uid=found.uid,
        spec=found.spec.to_json(),
        keys=[key],
    )
