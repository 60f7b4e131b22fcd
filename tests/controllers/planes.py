"""A real host and a real control plane over a small simulated fleet, in this event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from tenure.client import AsyncClient
from tenure.controllers.assembly import plane_of, run_plane
from tenure.controllers.plane import Plane
from tenure.discovery.fleets import FleetFile, Hardware, profile_of
from tenure.quantities import SystemClock
from tenure.resources import Machine, ObjectMeta, Site, Workload
from tenure.resources.kinds.machine import MachineSpec
from tenure.resources.kinds.site import SiteSpec
from tests.support.embedded import embedded


def one_machine(cores: int) -> FleetFile:
    """A fleet of one machine of so many cores."""
    profile = profile_of(Hardware(cores=cores, memory_bytes=2**36))
    machine = Machine(metadata=ObjectMeta(name="m"), spec=MachineSpec(site="simulated", profile=profile.name))
    return FleetFile(Site(metadata=ObjectMeta(name="simulated"), spec=SiteSpec()), (profile,), (machine,))


@asynccontextmanager
async def plane_on(
    home: Path, cores: int = 1, *, running: bool = False, fleet: FleetFile | None = None
) -> AsyncIterator[tuple[Plane, AsyncClient]]:
    """The plane, and a user's client. The fleet is one machine of so many cores, unless another is given."""
    async with (
        embedded(home) as host,
        host.client("controllers") as client,
        host.client("user") as user,
        plane_of(client, host.home, SystemClock(), fleet or one_machine(cores)) as plane,
    ):
        if not running:
            yield plane, user
            return
        ready = asyncio.Event()
        controllers = asyncio.create_task(run_plane(plane, ready.set))
        await ready.wait()
        try:
            yield plane, user
        finally:
            controllers.cancel()
            with suppress(asyncio.CancelledError):
                await controllers


def command(name: str, **more: Any) -> Workload:
    """A command that needs one core for an hour; keywords replace fields of the wire form."""
    spec = {"command": {}, "run": {"command": ["true"]}, "resources": {"cores": 1}, "term": {"duration": "1h"}}
    return Workload.model_validate({"metadata": {"name": name, "namespace": "default"}, "spec": {**spec, **more}})
