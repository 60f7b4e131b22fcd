"""Acceptance through failures between its proposal and its commit: made when tried again, and never said too early."""

from pathlib import Path
from typing import Any

import pytest

from tenure.client import AsyncClient, Refusing
from tenure.controllers.contract.reconcile import ContractReconciler
from tenure.controllers.kernel import Key
from tenure.controllers.plane import Plane
from tenure.controllers.workload import WorkloadReconciler
from tenure.controllers.workload.trial import Trials
from tenure.resources import Contract, Offer, Site, Workload
from tests.controllers.planes import command, plane_on

NEED = Key("default", "need")


def refuse_the_next_commit(plane: Plane) -> None:
    """The next write of the Site is refused, as by a host whose disk is full."""
    replace_status = plane.client.replace_status

    async def refusing(obj: Any) -> Any:
        if isinstance(obj, Site):
            plane.client.replace_status = replace_status  # type: ignore[method-assign]
            raise Refusing("the disk is full")
        return await replace_status(obj)

    plane.client.replace_status = refusing  # type: ignore[method-assign]


async def phase(plane: Plane) -> str:
    found = await plane.client.get(Workload, "need", namespace="default")
    return found.status.phase if found.status else "Pending"


async def contracts(plane: Plane) -> list[Contract]:
    return (await plane.client.list(Contract)).items


async def accepted_in_vain(plane: Plane, user: AsyncClient) -> tuple[WorkloadReconciler, Offer]:
    """A need whose user accepted its offer, and whose commit was refused."""
    reconciler = WorkloadReconciler(plane, Trials(plane))
    await user.create(command("need"))
    await reconciler.reconcile(NEED)
    (offer,) = (await user.list(Offer)).items
    await user.patch(Workload, "need", {"spec": {"acceptedOffer": offer.name}}, namespace="default")
    refuse_the_next_commit(plane)
    with pytest.raises(Refusing):
        await reconciler.reconcile(NEED)
    return reconciler, offer


@pytest.mark.parametrize("acceptance", ["manual", "auto"])
async def test_an_acceptance_whose_commit_failed_is_made_at_the_next_look(tmp_path: Path, acceptance: str) -> None:
    async with plane_on(tmp_path, cores=1) as (plane, user):
        reconciler = WorkloadReconciler(plane, Trials(plane))
        await user.create(command("need", acceptance=acceptance))
        await reconciler.reconcile(NEED)
        if acceptance == "manual":
            (offer,) = (await user.list(Offer)).items
            await user.patch(Workload, "need", {"spec": {"acceptedOffer": offer.name}}, namespace="default")
        refuse_the_next_commit(plane)
        with pytest.raises(Refusing):
            await reconciler.reconcile(NEED)
        (left,) = await contracts(plane)
        assert left.status is None, "it bears no mark of a commit"
        assert await phase(plane) == "Offered", "nothing was contracted"

        await reconciler.reconcile(NEED)
        (made,) = await contracts(plane)
        assert made.status is not None
        assert made.status.phase == "Commissioning"
        await reconciler.reconcile(NEED)
        assert await phase(plane) == "Contracted"


async def test_a_contract_that_was_never_committed_goes_once_the_ledger_has_moved_on(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=2) as (plane, user):
        reconciler, offer = await accepted_in_vain(plane, user)

        await user.create(command("other"))
        await reconciler.reconcile(Key("default", "other"))
        await ContractReconciler(plane).reconcile(Key("default", offer.name))
        assert await contracts(plane) == []
        await reconciler.reconcile(NEED)
        assert [c.name for c in await contracts(plane)] == [offer.name], "its acceptance still stands"


async def test_a_contract_that_was_never_committed_goes_when_it_is_deleted(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=1) as (plane, user):
        _, offer = await accepted_in_vain(plane, user)
        await user.delete(Contract, offer.name, namespace="default")
        await ContractReconciler(plane).reconcile(Key("default", offer.name))
        assert await contracts(plane) == []
        assert [r.name for r in (await plane.allocator.look()).view.live()] == [offer.name], (
            "the offer is held as before"
        )
