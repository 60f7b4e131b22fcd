"""A fleet of a few machines, made once, and jobs on it."""

from functools import cache
from typing import Any

from tenure.cli.simulate.jobs import Job, Trace
from tenure.cli.simulate.run import simulate
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile, Hardware, profile_of
from tenure.placement import Fleet
from tenure.quantities import Power
from tenure.resources import Machine, ObjectMeta, Site
from tenure.resources.kinds.machine import MachineSpec
from tenure.resources.kinds.site import SiteSpec

HOUR_MS = 3_600_000
COLUMNS = {"planned_max": 0}
"""As if any trace were too large to plan."""


@cache
def a_fleet(power: str | None = None) -> FleetFile:
    """Four machines of eight GPUs at 1 kW each, two in a rack."""
    profile = profile_of(Hardware(cores=8, memory_bytes=2**34, gpus=8, model="X", gpu_power_mw=1_000_000))
    site = Site(metadata=ObjectMeta(name="simulated"), spec=SiteSpec(power=Power.parse(power) if power else None))
    machines = (
        Machine(
            metadata=ObjectMeta(name=f"m-{n}"),
            spec=MachineSpec(
                site="simulated", profile=profile.name, rack=f"r-{n // 2}", rated_power=Power.parse("8kW")
            ),
        )
        for n in range(4)
    )
    return FleetFile(site, (profile,), tuple(machines))


def with_nics() -> FleetFile:
    """One machine of eight GPUs and eight NICs."""
    profile = profile_of(Hardware(cores=8, memory_bytes=2**34, gpus=8, model="X", nics=8))
    machine = Machine(metadata=ObjectMeta(name="m"), spec=MachineSpec(site="simulated", profile=profile.name))
    return FleetFile(Site(metadata=ObjectMeta(name="simulated")), (profile,), (machine,))


def placed(fleet: FleetFile) -> Fleet:
    """As placement sees it."""
    return fleet_of(fleet.site, as_observed(fleet, 0), fleet.profiles)


@cache
def powered(power: str | None = None) -> Fleet:
    """The four machines, with so much power for all."""
    return placed(a_fleet(power))


def run(*jobs: Job, power: str | None = None, fleet: FleetFile | None = None, **more: Any) -> dict[str, Any]:
    """The whole run."""
    on = powered(power) if fleet is None else placed(fleet)
    return simulate(on, Trace("t", "tenure", tuple(jobs)), **more)


def job(name: str, at_h: float, hours: float, gpus: int, **more: Any) -> Job:
    """A gang of single GPUs."""
    return Job(name, int(at_h * HOUR_MS), int(hours * HOUR_MS), members=gpus, gpus=1, **more)


SHARE = Job("share", 0, HOUR_MS, gpus=1, gpu_milli=500)
"""One share in a trace makes all of it go by shares."""
