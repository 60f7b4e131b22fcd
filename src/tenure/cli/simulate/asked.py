"""A job as the demand that `plan` takes: made by the functions that make it of a Workload at the door. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tenure.cli.simulate.jobs import Job, Trace
from tenure.controllers.answering.choices import Choice, demand_for
from tenure.controllers.answering.explicit import Members, Wanted, limits_of_engine, wanted_of, with_wanted
from tenure.controllers.answering.gather import MEMORY_DEFAULT_BYTES
from tenure.controllers.answering.limits import limit_constraints
from tenure.controllers.answering.need import need_of
from tenure.controllers.answering.reserve import with_reserve
from tenure.controllers.answering.residency import residency_constraints
from tenure.controllers.answering.unpromised import over, unpromised
from tenure.placement import FOREVER_MS, Constraint, Demand, DeviceRequest, Fleet, Role, Start
from tenure.resources import Machine, Site
from tenure.resources.kinds.workload import WorkloadSpec

LATEST_MS = FOREVER_MS - 1


def judged(trace: Trace, site: Site, machines: Mapping[str, Machine]) -> Trace:
    """The trace with what this site, its engine and this version permit each of its jobs that is a manifest."""
    jobs = (
        job if job.spec is None else replace(job, constraints=_constraints(job, job.spec, site, machines))
        for job in trace.jobs
    )
    return replace(trace, jobs=tuple(jobs))


def _constraints(job: Job, spec: WorkloadSpec, site: Site, machines: Mapping[str, Machine]) -> tuple[Constraint, ...]:
    need = need_of(spec, job.arrival_ms)
    return (
        *limits_of_engine(spec, simulated=True),
        *unpromised(spec, site.name, job.arrival_ms),
        *over(need, job.arrival_ms),
        *limit_constraints(need.limits, machines),
        *residency_constraints(spec, site),
    )


def demand_of(job: Job, fleet: Fleet, *, now_ms: int) -> Demand:
    """What is asked from now on: a start from when it is wanted until the last that is of use."""
    demand = _of_row(job, fleet) if job.spec is None else _of_manifest(job, job.spec, fleet)
    earliest_ms = max(now_ms, job.wanted_from_ms)
    latest_ms = LATEST_MS if job.latest_start_ms is None else job.latest_start_ms
    return replace(demand, start=Start(earliest_ms, max(earliest_ms, latest_ms)))


def _of_row(job: Job, fleet: Fleet) -> Demand:
    """Alike members with GPUs. Cores are sold whole."""
    role = Role(cores=-(-job.cpu_milli // 1000), memory_bytes=job.memory_bytes)
    gpus = DeviceRequest("gpu", job.gpus, job.gpu_milli, frozenset(job.models))
    wanted = Wanted(
        sorts=(Members(count=job.members, devices=(gpus,) if job.gpus else ()),),
        required_levels=(job.must,) if job.must else (),
        preferred_level=job.prefer or None,
    )
    return with_wanted(Demand(id=job.name, roles=(role,), duration_ms=job.duration_ms), wanted, fleet)


def _of_manifest(job: Job, spec: WorkloadSpec, fleet: Fleet) -> Demand:
    """As the door makes it of what is named outright."""
    need, resources = need_of(spec, job.arrival_ms), spec.resources
    memory = resources.memory if resources is not None else None
    demand = demand_for(
        need,
        id=job.name,
        cores=resources.cores if resources is not None else 1,
        memory_bytes=int(memory or MEMORY_DEFAULT_BYTES),
        constraints=job.constraints,
        group="",
    )
    demand = with_wanted(demand, wanted_of(spec), fleet)
    return with_reserve(Choice(demand, None), fleet).demand if need.keeps_reserve else demand
