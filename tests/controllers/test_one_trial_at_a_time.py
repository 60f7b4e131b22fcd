"""One trial at a time for a Workload, whatever is edited meanwhile; and a wish that was met is not measured again."""

from pathlib import Path
from typing import Any

import pytest

from tenure.controllers.kernel import Wait
from tenure.controllers.workload.trial import LOOK_MS
from tenure.controllers.workload.wish import TRIAL_ASKED_ANNOTATION, TRIAL_FOR_ANNOTATION
from tenure.resources import Offer, Workload, condition_of
from tenure.resources.kinds.contract import ContractStatus
from tests.controllers.trialled import Trialled, trialled


def wish(length: str, asked: str = "") -> dict[str, Any]:
    return {"metadata": {"annotations": {TRIAL_FOR_ANNOTATION: length, TRIAL_ASKED_ANNOTATION: asked}}}


EDITS = {
    "a wish": wish("10m"),
    "another wish": wish("20m"),
    "another need": {"spec": {"term": {"duration": "2h"}}},
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_what_was_measured_before_an_edit_is_over_before_anything_else_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: dict[str, Any]
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        first = await at.begun()
        assert await at.running() == [f"{first.spec.hold.id}.0"]
        await at.edit(edit)
        await at.look()
        second = at.trial().offer
        assert second.uid != first.uid
        assert await at.running() == [f"{second.spec.hold.id}.0"]
        assert [record.uid for record in await at.holds()] == [second.uid]


async def test_no_trial_begins_while_another_of_the_same_workload_has_its_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Holds of one group are alternatives: both would get the same core, and the books would balance."""
    async with trialled(tmp_path, monkeypatch) as at:
        first = await at.begun()
        runs = await at.running()
        at.killed()
        assert await at.look() == Wait(LOOK_MS)
        assert (await at.running(), at.trials.running) == (runs, {})
        await at.look_at(first)
        await at.look()
        assert [record.uid for record in await at.holds()] == [at.trial().offer.uid]


async def measured(at: Trialled, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The trial in flight is done, and its Workload answered; the names of the offers that are held then."""
    await at.done(monkeypatch)
    await at.look()
    await at.look()
    return await offered(at)


async def offered(at: Trialled) -> list[str]:
    offers = (await at.user.list(Offer)).items
    return [o.name for o in offers if o.spec.purpose == "Offer" and o.status is not None and o.status.phase == "Held"]


async def test_a_wish_that_was_met_is_not_measured_again_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would withdraw what is held for its user's choice."""
    async with trialled(tmp_path, monkeypatch) as at:
        await at.begun()
        await at.edit(wish("10m"))
        await at.look()
        names = await measured(at, monkeypatch)
        assert names != []
        found = await at.user.get(Workload, "need", namespace="default")
        assert found.status is not None
        assert found.status.trial_made is not None
        assert found.status.trial_made.wish == "10m"

        at.killed()
        await at.look()
        assert (at.trials.running, await offered(at)) == ({}, names)


async def test_a_need_is_measured_again_when_its_user_asks_for_as_much_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        await at.begun()
        await at.edit(wish("10m", "2026-11-30T10:00:00Z"))
        await at.look()
        await measured(at, monkeypatch)
        await at.edit(wish("10m", "2026-11-30T11:00:00Z"))
        await at.look()
        assert [record.uid for record in await at.holds()] == [at.trial().offer.uid]
        assert await offered(at) == [], "what was held gives way to the measurement"


async def test_a_wish_that_was_met_for_one_need_is_still_due_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        await at.begun()
        await at.edit(wish("10m"))
        await at.look()
        await measured(at, monkeypatch)
        at.killed()
        await at.edit({"spec": {"term": {"duration": "2h"}}})
        await at.look()
        assert at.trial().offer.spec.purpose == "Trial"


async def test_a_trial_ends_when_its_need_is_edited_back_to_one_that_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch, cores=3) as at:
        contract = await at.contracted()
        ended = ContractStatus(phase="Ended", ended_because="EndedByTerm")
        await at.plane.client.replace_status(contract.model_copy(update={"status": ended}))
        at.evidence = False
        await at.edit({"spec": {"term": {"duration": "2h"}}})
        await at.look()
        assert await at.running() != []
        await at.edit({"spec": {"term": {"duration": "1h"}}})
        await at.look()
        found = await at.user.get(Workload, "need", namespace="default")
        assert found.status is not None
        assert found.status.phase == "Succeeded"
        assert (await at.running(), await at.holds(), at.trials.running) == ([], [], {})


async def test_nothing_is_remembered_of_a_workload_that_is_gone_nor_of_a_need_that_it_had_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        await at.begun()
        await measured(at, monkeypatch)
        was = await at.user.get(Workload, "need", namespace="default")
        assert at.trials.was_made(was)
        await at.edit({"spec": {"term": {"duration": "2h"}}})
        at.evidence = False
        await at.look()
        assert not at.trials.was_made(was)
        await measured(at, monkeypatch)
        assert len(at.trials.made) == 1
        await at.user.delete(Workload, "need", namespace="default")
        await at.look()
        assert (len(at.trials.made), len(at.trials.resting)) == (0, 0)


@pytest.mark.parametrize("length", ["soon", "10", "", "-5m"])
async def test_a_wish_that_cannot_be_read_is_said_and_the_need_is_answered_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: str
) -> None:
    async with trialled(tmp_path, monkeypatch) as at:
        await at.begun()
        await at.edit(wish(length))
        await at.look()
        found = await at.user.get(Workload, "need", namespace="default")
        assert found.status is not None
        said = condition_of(found.status.conditions, "WishRead")
        if length:
            assert said is not None
            assert (said.status, said.reason) == ("False", "InvalidQuantity")
            assert 'metadata.annotations["tenure.dev/trial-for"]' in said.message
        else:
            assert said is None, "an empty one is none"
        assert found.status.phase == "Trialling", "what an answer needs is measured all the same"
        await at.edit(wish("10m"))
        await at.look()
        found = await at.user.get(Workload, "need", namespace="default")
        assert found.status is not None
        assert condition_of(found.status.conditions, "WishRead") is None
