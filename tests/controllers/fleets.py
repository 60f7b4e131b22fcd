"""Fleets of a few machines and what is asked of them, through the same functions as the door's."""

from pathlib import Path
from typing import Any

from tenure.controllers.answering.explicit import wanted_of, with_wanted
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile, read_fleet
from tenure.placement import Calendar, Demand, Fleet, Plan, Refusal, Role, plan
from tenure.resources.kinds.site import SiteSpec
from tenure.resources.kinds.workload import WorkloadSpec

COLUMNS = "sn,cpu_milli,memory_mib,gpu,model"


def file_of(folder: Path, columns: str, *rows: str, **site: Any) -> FleetFile:
    """Machines of eight cores and eight GPUs. A row is a name and its cells of the further `columns`; `site` is what
    the Site declares beside."""
    path = folder / "fleet.csv"
    lines = []
    for row in rows:
        name, _, cells = row.partition(",")
        lines.append(f"{name},8000,8192,8,H100,{cells}")
    path.write_text("\n".join((f"{COLUMNS},{columns}", *lines)) + "\n")
    made = read_fleet(path)
    declared = SiteSpec.model_validate({**made.site.spec.to_json(), **site})
    return FleetFile(made.site.model_copy(update={"spec": declared}), made.profiles, made.machines, made.called)


def fleet(folder: Path, columns: str, *rows: str, every_budget: bool = False, **site: Any) -> Fleet:
    """The same as placement sees it."""
    made = file_of(folder, columns, *rows, **site)
    return fleet_of(made.site, as_observed(made, 0), made.profiles, every_budget=every_budget)


def gang(members: int = 2, gpus: int = 8, *, topology: object = None, **resources: object) -> WorkloadSpec:
    """A gang of members with so many GPUs each."""
    wants = {"members": members, "cores": 1, "devices": [{"class": "gpu", "count": gpus}], **resources}
    body = {"training": {}, "run": {"command": ["train"]}, "resources": wants, "topology": topology}
    return WorkloadSpec.model_validate(body)


def demand_of(on: Fleet, spec: WorkloadSpec) -> Demand:
    """What is asked, as placement takes it; for an hour."""
    cores = spec.resources.cores if spec.resources is not None else 1
    return with_wanted(Demand("gang", (Role(cores=cores),), duration_ms=3_600_000), wanted_of(spec), on)


def decided(on: Fleet, spec: WorkloadSpec, calendar: Calendar | None = None) -> Plan | Refusal:
    """The plan, or the refusal."""
    return plan(on, calendar or Calendar(), demand_of(on, spec), now_ms=0)


def planned(on: Fleet, spec: WorkloadSpec, calendar: Calendar | None = None) -> Plan:
    """It has to fit."""
    found = decided(on, spec, calendar)
    assert isinstance(found, Plan), found
    return found


def refused(on: Fleet, spec: WorkloadSpec, calendar: Calendar | None = None) -> Refusal:
    """It must not."""
    found = decided(on, spec, calendar)
    assert isinstance(found, Refusal), found
    return found


def machines_of(found: Plan) -> set[str]:
    """Where the members stand."""
    return {claim.machine for claim in found.claims}
