"""A need that says what must be in the older form, beside `must`, is answered, contracted and ended."""

from pathlib import Path

from tenure.controllers.answering.explicit import wanted_of
from tenure.resources import Contract, Offer, Workload
from tests.controllers.test_deleting_what_is_in_use import PATIENCE_SECONDS, gone, market, offered


async def test_its_contract_keeps_the_rule_as_it_was_agreed_and_ends(tmp_path: Path) -> None:
    async with market(tmp_path) as (_, user):
        contract = await user.accept(await offered(user, topology={"numaDistanceMax": 10}))
        body = contract.spec.body
        assert body.topology is not None
        assert (body.topology.must, body.topology.numa_distance_max) == ([], 10)
        assert wanted_of(body).numa_distance_max == 10
        held = [offer for offer in (await user.list(Offer, namespace="default")).items if offer.name != contract.name]
        assert not held, "nothing is held beside the contract"
        await user.delete(Workload, "need", namespace="default")
        await gone(user, Workload, "need")
        await user.end(contract, timeout_seconds=PATIENCE_SECONDS)
        assert not (await user.list(Contract, namespace="default")).items
