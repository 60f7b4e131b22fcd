"""A question lives for its time to live, answered or not, and an answer is to the question as it stands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tenure.client import AsyncClient, NotFound
from tenure.controllers.inquiry import InquiryReconciler
from tenure.controllers.kernel import Key
from tenure.controllers.plane import Plane
from tenure.engines import LocalEngine
from tenure.quantities import Duration, SystemClock, VirtualClock
from tenure.resources import Inquiry, ObjectMeta
from tenure.resources.kinds.workload import InquirySpec
from tests.controllers.builders import spec
from tests.controllers.planes import command, plane_on

KEY = Key("default", "asked")
MINUTE_MS = 60_000
Site = tuple[Plane, AsyncClient, VirtualClock]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with plane_on(tmp_path / "home", cores=4) as (plane, user):
        clock = VirtualClock(SystemClock().now_ms())
        plane.clock = clock
        yield plane, user, clock


def asked(body: InquirySpec) -> Inquiry:
    return Inquiry(metadata=ObjectMeta(name="asked", namespace="default"), spec=body)


async def current(user: AsyncClient) -> Inquiry:
    return await user.get(Inquiry, "asked", namespace="default")


async def test_one_that_nothing_can_answer_goes_when_its_time_is_over(site: Site) -> None:
    plane, user, clock = site
    plane.engine, plane.machine = LocalEngine(plane.home), "m"  # where a model is wanted, and there is none
    await user.create(asked(InquirySpec(workload=spec(), time_to_live=Duration.parse("1m"))))
    reconciler = InquiryReconciler(plane)
    assert await reconciler.reconcile(KEY) is not None
    seen = await current(user)
    assert seen.status is not None
    assert seen.status.phase == "Asked", "twin: within its time it is kept"
    clock.advance(2 * MINUTE_MS)
    assert await reconciler.reconcile(KEY) is None
    with pytest.raises(NotFound):
        await current(user)


async def test_its_time_counts_from_its_creation_and_not_from_its_answer(site: Site) -> None:
    plane, user, clock = site
    await user.create(asked(InquirySpec(workload=command("x").spec, time_to_live=Duration.parse("3m"))))
    clock.advance(2 * MINUTE_MS)
    reconciler = InquiryReconciler(plane)
    assert await reconciler.reconcile(KEY) is not None
    clock.advance(2 * MINUTE_MS)
    assert await reconciler.reconcile(KEY) is None
    with pytest.raises(NotFound):
        await current(user)


async def test_one_that_was_edited_is_answered_anew(site: Site) -> None:
    plane, user, _ = site
    await user.create(asked(InquirySpec(workload=command("x").spec)))
    reconciler = InquiryReconciler(plane)
    await reconciler.reconcile(KEY)
    first = await current(user)
    assert first.status is not None
    assert first.status.answer is not None
    assert first.status.answer.kind == "Offers"
    edited = {"spec": {"workload": {"resources": {"cores": 400}}}}
    await user.patch(Inquiry, "asked", edited, namespace="default")
    await reconciler.reconcile(KEY)
    second = await current(user)
    assert second.status is not None
    assert second.status.answer is not None
    assert second.status.observed_generation == second.metadata.generation
    assert second.status.answer.kind != "Offers"
