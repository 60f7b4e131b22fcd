"""What may be asked for and is not promised yet: refused by name. An offer that ignored it would not be one in full."""

from tenure.controllers.answering.need import Need
from tenure.placement import Constraint
from tenure.quantities import Duration, format_instant
from tenure.resources.kinds.workload import WorkloadSpec

IMPOSED_BY = "this version"
JOB_FIELDS = ("model", "dataset", "runtime", "steps")


def unpromised(spec: WorkloadSpec, site: str, now_ms: int) -> tuple[Constraint, ...]:
    """One constraint that no machine satisfies for each demand that nothing here keeps; none for an ordinary need."""
    objectives = spec.objectives
    inference = spec.inference is not None
    job = None if inference else getattr(spec, spec.work)
    asked = {
        "isolation: shared": spec.isolation == "shared",
        "class: spot": spec.guarantee == "spot",
        f"site: {spec.site}": spec.site is not None and spec.site != site,
        "objectives.availability": not inference and objectives is not None and objectives.availability is not None,
        "objectives.samplesPerSecond": objectives is not None and objectives.samples_per_second is not None,
        "objectives.stepTime": objectives is not None and objectives.step_time is not None,
        "objectives.startLatency": objectives is not None and objectives.start_latency is not None,
        "objectives (rates)": not inference
        and objectives is not None
        and (objectives.output_tokens_per_second is not None or objectives.requests_per_second is not None),
        "objectives (latencies)": not inference and objectives is not None and bool(objectives.latencies()),
        # What a job works on is its own command's affair; nothing here fetches, checks or counts what these name.
        **{f"{spec.work}.{name}": job is not None and getattr(job, name) is not None for name in JOB_FIELDS},
    }
    found = [
        Constraint(
            id=f"spec.{what}",
            imposed_by=IMPOSED_BY,
            machines=frozenset(),
            hint=f"nothing here can keep it yet, so it is not promised; leave spec.{what.split(':')[0]} out",
        )
        for what, is_asked in asked.items()
        if is_asked
    ]
    completion = objectives.completion if objectives is not None else None
    if completion is not None and completion.by is not None and int(completion.by) <= now_ms:
        hint = f"the deadline {completion.by} is over; name a later one"
        found.append(
            Constraint(id="spec.objectives.completion", imposed_by="workload", machines=frozenset(), hint=hint)
        )
    return tuple(found)


def over(need: Need, now_ms: int) -> tuple[Constraint, ...]:
    """One constraint that no machine satisfies for each instant of the term that is over when it is answered: whatever
    begins now begins too late, or ends at once. An end that is too near for a window to be judged is another one. By
    when work was to start is not asked of what began (`Need.begun`)."""
    when, window_ms = need.when, need.assurance.window_ms
    found = {}
    if when.end_ms is not None and when.end_ms <= now_ms:
        found["term.end"] = f"{format_instant(when.end_ms)} is over; name a later spec.term.end"
    elif when.end_ms is not None and need.load is not None and when.end_ms - max(now_ms, when.earliest_ms) < window_ms:
        found["assurance.window"] = (
            f"no window of {Duration(window_ms * 10**6)} lies before {format_instant(when.end_ms)}; name a shorter "
            "spec.assurance.window, or a later spec.term.end"
        )
    if when.start_by_ms is not None and when.start_by_ms < now_ms:
        found["term.startBy"] = f"{format_instant(when.start_by_ms)} is over; name a later spec.term.startBy"
    return tuple(
        Constraint(id=f"spec.{name}", imposed_by="workload", machines=frozenset(), hint=hint)
        for name, hint in found.items()
    )
