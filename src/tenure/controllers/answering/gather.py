"""Gathering: everything known about one need, read through the door and from the stores. The only I/O of answering."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tenure.catalog import artifact_of, cached_path
from tenure.client import NotFound
from tenure.controllers.answering.answer import Knowledge
from tenure.controllers.answering.capability import capabilities, choosing_windows
from tenure.controllers.answering.explicit import limits_of_engine, wanted_of
from tenure.controllers.answering.limits import limit_constraints
from tenure.controllers.answering.measured import Measured, RunShape
from tenure.controllers.answering.need import Need
from tenure.controllers.answering.policy import policy_of
from tenure.controllers.answering.residency import residency_constraints
from tenure.controllers.answering.secrets import lacking_secret
from tenure.controllers.answering.trial_wish import trial_wish
from tenure.controllers.answering.unpromised import unpromised
from tenure.controllers.in_use.finalizer import guard
from tenure.controllers.plane import Plane
from tenure.controllers.subject import Subject
from tenure.measurement.store import SATURATION, Evidence
from tenure.promises import RequestSample
from tenure.quantities import Duration
from tenure.resources import Engine, Machine, Model, Runtime, Site
from tenure.resources.kinds.workload import WorkloadSpec

Windows = tuple[tuple[RequestSample, ...], ...]

NEIGHBOURS = {"guaranteed": "busy", "burstable": "quiet", "spot": "quiet"}
MEMORY_DEFAULT_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that the need names is not there (yet)."""

    reason: str
    message: str


async def gather(
    plane: Plane,
    spec: WorkloadSpec,
    need: Need,
    namespace: str | None,
    *,
    trial: Duration | None = None,
    trial_made: bool = False,
) -> Knowledge | Missing:
    """What is known, or what is missing. `namespace`: where the names in `spec` are looked up; `trial`: how long its
    user wants it measured; `trial_made`: it was."""
    try:
        site = await plane.client.get(Site, plane.site)
    except NotFound:
        return Missing("ReferenceNotFound", f"site {plane.site} was deleted; `tenure up` registers it anew")
    engine = await _engine(plane)
    if isinstance(engine, Missing):
        return engine
    if (lacking := await lacking_secret(plane, spec, namespace)) is not None:
        return Missing("ReferenceNotFound", lacking)
    machines = await _machines(plane)
    known = Knowledge(
        need=need,
        capabilities=(),
        shapes_measured=0,
        trial=None,
        constraints=(
            *limits_of_engine(spec, simulated=plane.simulated),
            *unpromised(spec, site.name, plane.clock.now_ms()),
            *limit_constraints(need.limits, machines),
            *residency_constraints(spec, site),
        ),
        machines=machines,
        memory_of=lambda _: 0,
        cores=spec.resources.cores if spec.resources else 1,
        memory_bytes=int(spec.resources.memory or MEMORY_DEFAULT_BYTES) if spec.resources else MEMORY_DEFAULT_BYTES,
        wanted=wanted_of(spec),
        simulated=plane.simulated,
        policy=policy_of(site.spec, machines),
        stands_on=(engine,),
    )
    if spec.inference is None or plane.simulated:
        return known
    machine = machines.get(plane.machine)
    if machine is None:
        return Missing("ReferenceNotFound", f"machine {plane.machine} is not registered yet")
    subject = await find_subject(plane, need, machine, fresh=True)
    if isinstance(subject, Missing):
        return subject
    return await asyncio.to_thread(_with_evidence, plane, spec, known, subject, machine, trial, trial_made)


async def _engine(plane: Plane) -> Engine | Missing:
    """The engine that would run it; one that is being deleted takes nothing new."""
    engines = (await plane.client.list(Engine)).items
    own = [e for e in engines if e.spec.site == plane.site and e.spec.machine in (None, plane.machine)]
    standing = [engine for engine in own if engine.metadata.deletion_timestamp is None]
    if standing:
        await guard(plane.client, standing[0])
        return standing[0]
    why = f"Engine {own[0].name} is being deleted" if own else f"no Engine runs work at site {plane.site}"
    return Missing("ReferenceNotFound", f"{why}; `tenure up` registers it anew")


async def _machines(plane: Plane) -> Mapping[str, Machine]:
    """The site's machines: listed where there is one, as last watched where there are thousands."""
    if plane.simulated:
        return plane.machines
    return {m.name: m for m in (await plane.client.list(Machine)).items if m.spec.site == plane.site}


async def find_subject(plane: Plane, need: Need, machine: Machine, *, fresh: bool = False) -> Subject | Missing:
    """The model file and the runtime that serves it on this machine. For `fresh` work neither may be being deleted."""
    assert need.model is not None
    try:
        model = await plane.client.get(Model, need.model)
    except NotFound:
        return Missing("ReferenceNotFound", f"spec.inference.model: no Model is named {need.model}")
    if model.metadata.deletion_timestamp is not None and fresh:
        return Missing("ReferenceNotFound", f"spec.inference.model: Model {need.model} is being deleted")
    runtimes = sorted((await plane.client.list(Runtime)).readable, key=lambda r: r.name)
    if fresh:
        runtimes = [r for r in runtimes if r.metadata.deletion_timestamp is None]
    fitting = [r for r in runtimes if model.spec.format in r.spec.accepts.formats]
    if need.runtime is not None:
        fitting = [r for r in fitting if r.name == need.runtime]
    if not fitting:
        wanted = f"named {need.runtime}" if need.runtime else f"that takes {model.spec.format}"
        return Missing("ReferenceNotFound", f"spec.inference.runtime: no Runtime {wanted}")
    path = await asyncio.to_thread(cached_path, artifact_of(model))
    if path is None:
        return Missing("ModelNotFetched", f"tenure model fetch {model.name}")
    if fresh:  # before anything is held that stands on it: one deleted without the finalizer is gone at once
        for obj in (model, fitting[0]):
            await guard(plane.client, obj)
    assert need.load is not None, "inference has a load"
    return Subject(model=model, path=path, runtime=fitting[0], hardware_class=machine.spec.profile, load=need.load)


def _with_evidence(
    plane: Plane,
    spec: WorkloadSpec,
    known: Knowledge,
    subject: Subject,
    machine: Machine,
    trial: Duration | None,
    trial_made: bool,
) -> Knowledge:
    need = known.need
    assert need.load is not None
    neighbours = NEIGHBOURS[spec.guarantee]
    measured = measured_of(plane, subject, neighbours)
    sellable = len(machine.status.sellable_cores) if machine.status else 0
    shapes = subject.shapes(max(1, sellable))
    wish = trial_wish(need, shapes, measured, trial.ms if trial is not None else None)
    return replace(
        known,
        subject=subject,
        stands_on=(*known.stands_on, subject.model, subject.runtime),
        neighbours=neighbours,
        capabilities=tuple(capabilities(measured, need.objectives, need.load, need.assurance)),
        shapes_measured=len({m.shape for m in measured}),
        trial=None if trial_made else wish,
        memory_of=subject.memory_bytes,
    )


def measured_of(plane: Plane, subject: Subject, neighbours: str) -> list[Measured]:
    """What the store holds for this model, runtime and hardware beside such neighbours; equal keys are pooled.

    What was measured beside busy neighbours bounds a quiet machine too; never the other way round.
    """
    found: list[Evidence] = []
    for beside in ("busy",) if neighbours == "busy" else ("busy", "quiet"):
        found += plane.known.find(
            model_digest=subject.digest,
            hardware_class=subject.hardware_class,
            runtime=subject.runtime.name,
            runtime_version=subject.runtime.spec.version,
            neighbours=beside,
        )
    pooled: dict[tuple[object, ...], list[Evidence]] = {}
    for evidence in reversed(found):  # oldest first
        saturated = evidence.origin == SATURATION
        # How many were answered under saturation is a result, and no two results are equal.
        load = replace(evidence.load, arrivals_micro=1) if saturated else evidence.load
        key = (evidence.key.shape, evidence.key.neighbours, load, evidence.window_ms, saturated)
        pooled.setdefault(key, []).append(evidence)
    return [_measured(group) for group in pooled.values()]


def _measured(group: Sequence[Evidence]) -> Measured:
    first, newest = group[0], group[-1]
    shape = dict(first.key.shape)
    # Of each measurement some windows choose and the rest bound; pooling keeps all choosing ones in front.
    parts = [choosing_apart(evidence) for evidence in group]
    windows = tuple(w for choosing, _ in parts for w in choosing) + tuple(w for _, rest in parts for w in rest)
    return Measured(
        shape=RunShape(shape["threads"], shape["slots"]),
        load=first.load,
        window_ms=first.window_ms,
        windows=windows,
        choosing=sum(len(choosing) for choosing, _ in parts),
        neighbours=first.key.neighbours,
        hardware_class=first.key.hardware_class,
        runtime=f"{first.key.runtime} {first.key.runtime_version}",
        measured_at_ms=newest.measured_at_ms,
        saturated=first.origin == SATURATION,
    )


def choosing_apart(evidence: Evidence) -> tuple[Windows, Windows]:
    """The windows that choose, and those that bound.

    Under a load the last ones choose. A contract begins with a fresh start, and all its windows are judged; a bound
    that left out the windows after the start would promise more than such a contract keeps. Under saturation the first
    ones choose: nothing was carried over to them, and commissioning leaves them out as well.
    """
    windows, choosing = evidence.windows, choosing_windows(len(evidence.windows))
    if evidence.origin == SATURATION:
        return windows[:choosing], windows[choosing:]
    return windows[len(windows) - choosing :], windows[: len(windows) - choosing]
