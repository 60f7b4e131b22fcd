"""A refused acceptance: each one is answered, what is said is of the offer chosen, and it ends with its cause."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tenure import AsyncClient
from tenure.client import from_home
from tenure.controllers.kernel import Key
from tenure.controllers.plane import Plane
from tenure.controllers.workload import WorkloadReconciler
from tenure.controllers.workload.trial import Trials
from tenure.resources import Condition, Contract, Offer, Site, Workload, condition_of
from tenure.sdk import NotAccepted
from tests.controllers.planes import command, plane_on

PATIENCE_SECONDS = 30
EU = {"jurisdictions": ["EU"]}


@asynccontextmanager
async def market(home: Path) -> AsyncIterator[AsyncClient]:
    """A running control plane over two cores in Germany, and its user."""
    async with plane_on(home, cores=2, running=True) as (plane, _), AsyncClient(from_home(plane.home)) as user:
        await stands_in(user, "DE")
        yield user


async def stands_in(user: AsyncClient, country: str) -> None:
    location = {"country": country, "assertedBy": "the landlord"}
    await user.patch(Site, "simulated", {"spec": {"location": location}})


async def offered(user: AsyncClient, **more: object) -> str:
    """The offer that is held for a need."""
    await user.request(command("need", **more), timeout_seconds=PATIENCE_SECONDS)
    (offer,) = (await user.list(Offer, namespace="default")).items
    return offer.name


async def choose(user: AsyncClient, offer: str | None) -> None:
    await user.patch(Workload, "need", {"spec": {"acceptedOffer": offer}}, namespace="default")


async def seen(user: AsyncClient, wanted: Callable[[Workload], bool]) -> Workload:
    return await user.wait_for(Workload, "need", wanted, namespace="default", timeout_seconds=PATIENCE_SECONDS)


def accepted(workload: Workload) -> Condition | None:
    return condition_of(workload.status.conditions, "Accepted") if workload.status else None


async def refused(user: AsyncClient, offer: str) -> NotAccepted:
    with pytest.raises(NotAccepted) as why:
        await user.accept(offer, namespace="default", wait=False, timeout_seconds=PATIENCE_SECONDS)
    return why.value


async def test_each_acceptance_of_an_offer_that_policy_forbids_is_refused_at_once(tmp_path: Path) -> None:
    async with market(tmp_path) as user:
        offer = await offered(user, residency=EU)
        await stands_in(user, "US")
        assert (await refused(user, offer)).reason == "PolicyForbids"
        assert (await refused(user, offer)).reason == "PolicyForbids"


async def test_what_policy_refused_becomes_a_contract_once_the_site_is_said_to_stand_elsewhere(tmp_path: Path) -> None:
    async with market(tmp_path) as user:
        offer = await offered(user, residency=EU)
        await stands_in(user, "US")
        await refused(user, offer)
        await stands_in(user, "DE")
        await seen(user, lambda w: (said := accepted(w)) is not None and said.status == "True")
        assert [c.spec.offer for c in (await user.list(Contract, namespace="default")).items] == [offer]


async def test_the_refusal_names_the_offer_that_was_chosen_last(tmp_path: Path) -> None:
    async with market(tmp_path) as user:
        await offered(user)
        for wrong in ("aaa", "bbb"):
            await choose(user, wrong)
            found = await seen(user, lambda w, wrong=wrong: wrong in getattr(accepted(w), "message", ""))  # type: ignore[misc]
            said = accepted(found)
            assert said is not None
            assert said.reason == "OfferNotFound"
            assert said.observed_generation == found.metadata.generation


async def test_a_choice_that_is_taken_back_leaves_no_refusal_and_the_spec_is_seen(tmp_path: Path) -> None:
    async with market(tmp_path) as user:
        await offered(user)
        await choose(user, "aaa")
        await seen(user, lambda w: accepted(w) is not None)
        await choose(user, None)
        found = await seen(user, lambda w: accepted(w) is None)
        found = await seen(
            user, lambda w: w.status is not None and w.status.observed_generation == w.metadata.generation
        )
        assert found.status is not None
        assert found.status.phase == "Offered"


async def test_a_refusal_is_written_once(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=1) as (plane, user):
        needs = WorkloadReconciler(plane, Trials(plane))
        await user.create(command("need", acceptedOffer="aaa"))
        assert await settles(needs, plane), "looking again writes nothing"


async def settles(needs: WorkloadReconciler, plane: Plane) -> bool:
    """Whether the need stays as it is once it was looked at twice."""
    versions = []
    for _ in range(4):
        await needs.reconcile(Key("default", "need"))
        await asyncio.sleep(0)
        versions.append((await plane.client.get(Workload, "need", namespace="default")).metadata.resource_version)
    return versions[1] == versions[2] == versions[3]
