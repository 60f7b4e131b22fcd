"""A missing reference is a condition, and clears when the thing appears: for needs, however answered, and questions."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tenure.client import AsyncClient
from tenure.controllers.inquiry import InquiryReconciler
from tenure.controllers.kernel import Key
from tenure.controllers.plane import Plane
from tenure.controllers.trialling.running import RunningTrial
from tenure.controllers.workload import WorkloadReconciler
from tenure.controllers.workload.trial import Trials
from tenure.resources import Inquiry, ObjectMeta, Workload
from tenure.resources.kinds.workload import InquirySpec
from tests.controllers.builders import spec
from tests.controllers.served import fetched, model_appears, plane_that_serves

NEED = Key("default", "need")
Site = tuple[Plane, AsyncClient]


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    async with plane_that_serves(tmp_path, monkeypatch) as (plane, user):
        yield plane, user


def found(obj: Workload | Inquiry) -> tuple[str, str, str]:
    """What its condition says of references."""
    assert obj.status is not None
    said = next(c for c in obj.status.conditions if c.type == "ReferencesFound")
    return said.status, said.reason, said.message


async def state(user: AsyncClient, **changes: Any) -> None:
    await user.create(Workload(metadata=ObjectMeta(name="need", namespace="default"), spec=spec(**changes)))


@pytest.mark.parametrize(
    ("changes", "phase"),
    [({}, "Trialling"), ({"residency": {"countries": ["DE"]}}, "Refused")],
    ids=["then it is trialled", "then it is refused for another reason"],
)
async def test_a_need_names_an_unknown_model_and_goes_on_once_there_is_one(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], phase: str
) -> None:
    plane, user = site
    monkeypatch.setattr(RunningTrial, "begin", lambda trial: None)  # nothing is to be measured here
    reconciler = WorkloadReconciler(plane, Trials(plane))

    async def look() -> Workload:
        wait = await reconciler.reconcile(NEED)
        assert wait is not None, "it is looked at again without being touched"
        return await user.get(Workload, "need", namespace="default")

    await state(user, **changes)
    assert found(await look())[:2] == ("False", "ReferenceNotFound")
    assert "spec.inference.model: no Model is named m" in found(await look())[2]
    cached = await model_appears(user, tmp_path / "m.gguf")
    assert found(await look())[:2] == ("False", "ModelNotFetched")
    fetched(tmp_path / "m.gguf", cached)
    now = await look()
    assert found(now) == ("True", "ReferencesFound", "")
    assert now.status is not None
    assert now.status.phase == phase


async def test_nothing_stays_of_a_trial_whose_need_was_edited_to_a_model_that_is_missing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane, user = site
    monkeypatch.setattr(RunningTrial, "begin", lambda trial: None)
    reconciler = WorkloadReconciler(plane, Trials(plane))
    await state(user)
    fetched(tmp_path / "m.gguf", await model_appears(user, tmp_path / "m.gguf"))
    await reconciler.reconcile(NEED)
    status = (await user.get(Workload, "need", namespace="default")).status
    assert status is not None
    assert (status.phase, status.trial is not None) == ("Trialling", True)
    await user.patch(Workload, "need", {"spec": {"inference": {"model": "another"}}}, namespace="default")
    await reconciler.reconcile(NEED)
    status = (await user.get(Workload, "need", namespace="default")).status
    assert status is not None
    assert (status.phase, status.trial, status.trial_progress) == ("Pending", None, None)
    assert [one.type for one in status.conditions] == ["ReferencesFound"]


async def test_a_question_is_answered_once_there_is_such_a_model(site: Site, tmp_path: Path) -> None:
    plane, user = site
    reconciler = InquiryReconciler(plane)

    async def look() -> Inquiry:
        assert await reconciler.reconcile(NEED) is not None, "it is looked at again without being touched"
        return await user.get(Inquiry, "need", namespace="default")

    await user.create(Inquiry(metadata=ObjectMeta(name="need", namespace="default"), spec=InquirySpec(workload=spec())))
    assert found(await look())[:2] == ("False", "ReferenceNotFound")
    fetched(tmp_path / "m.gguf", await model_appears(user, tmp_path / "m.gguf"))
    now = await look()
    assert found(now) == ("True", "ReferencesFound", "")
    assert now.status is not None
    assert now.status.answer is not None


async def test_twin_what_is_named_may_be_another_model_than_the_one_that_appeared(site: Site, tmp_path: Path) -> None:
    plane, user = site
    reconciler = WorkloadReconciler(plane, Trials(plane))
    await state(user, inference={"model": "another"})
    fetched(tmp_path / "m.gguf", await model_appears(user, tmp_path / "m.gguf"))
    await reconciler.reconcile(NEED)
    assert found(await user.get(Workload, "need", namespace="default"))[:2] == ("False", "ReferenceNotFound")
