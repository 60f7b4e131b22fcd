"""A Machine whose site or hardware profile is not there says so, and goes on once it is."""

from pathlib import Path

import pytest

from tenure.client import AsyncClient
from tenure.controllers.kernel import Key
from tenure.controllers.machine.reconcile import MachineReconciler
from tenure.discovery.fleets import Hardware, profile_of
from tenure.resources import HardwareProfile, Machine, ObjectMeta, Site
from tenure.resources.kinds.machine import MachineSpec
from tenure.resources.kinds.site import SiteSpec
from tests.controllers.planes import plane_on

pytestmark = pytest.mark.anyio
PROFILE = profile_of(Hardware(cores=3, memory_bytes=2**34))


async def made(user: AsyncClient, site: str, profile: str) -> None:
    await user.create(Machine(metadata=ObjectMeta(name="new"), spec=MachineSpec(site=site, profile=profile)))


async def said(user: AsyncClient) -> list[tuple[str, str, str]]:
    status = (await user.get(Machine, "new")).status
    found = status.conditions if status is not None else []
    return [(c.status, c.reason, c.message.partition("; ")[0]) for c in found if c.type == "ReferencesFound"]


async def test_a_profile_that_nobody_has_made_yet(tmp_path: Path) -> None:
    async with plane_on(tmp_path, running=False) as (plane, user):
        reconciler = MachineReconciler(plane)
        await made(user, plane.site, PROFILE.name)
        assert await reconciler.reconcile(Key("", "new")) is not None, "it is looked at again without being touched"
        missing = f"spec.profile: no HardwareProfile is named {PROFILE.name}"
        assert await said(user) == [("False", "ReferenceNotFound", missing)]
        await user.create(HardwareProfile(metadata=ObjectMeta(name=PROFILE.name), spec=PROFILE.spec))
        assert await reconciler.reconcile(Key("", "new")) is None
        assert await said(user) == [("True", "ReferencesFound", "")]


async def test_a_site_that_nobody_has_made_yet(tmp_path: Path) -> None:
    async with plane_on(tmp_path, running=False) as (plane, user):
        reconciler = MachineReconciler(plane)
        await made(user, "elsewhere", (await user.get(Machine, "m")).spec.profile)
        assert await reconciler.reconcile(Key("", "new")) is not None
        assert await said(user) == [("False", "ReferenceNotFound", "spec.site: no Site is named elsewhere")]
        await user.create(Site(metadata=ObjectMeta(name="elsewhere"), spec=SiteSpec()))
        assert await reconciler.reconcile(Key("", "new")) is None
        assert await said(user) == [("True", "ReferencesFound", "")]


async def test_one_whose_references_are_there_needs_no_condition(tmp_path: Path) -> None:
    async with plane_on(tmp_path, running=False) as (plane, user):
        await made(user, plane.site, (await user.get(Machine, "m")).spec.profile)
        assert await MachineReconciler(plane).reconcile(Key("", "new")) is None
        assert await said(user) == []
