"""From what each shape can do to demands that placement can judge: those that meet the need, and those that fall short.

A choice that falls short says on which axis, from what to what. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenure.controllers.answering.capability import Capability
from tenure.controllers.answering.floors import rounded_down
from tenure.controllers.answering.measured import Carried, RunShape
from tenure.controllers.answering.need import Need
from tenure.placement import Alternative, Constraint, Demand, Role, Start, Step
from tenure.promises import AvailabilityObjective, Objective, RateObjective
from tenure.promises.objectives import MICRO
from tenure.quantities import Duration, Rate, Ratio
from tenure.resources.kinds.allocation import Relaxation

MemoryOf = Callable[[RunShape], int]
"""Bytes that a shape needs."""

STEPS_MAX = 2  # placement refuses to offer more than a pair


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to serve: the demand, what it rests on, and what it gives up (nothing: it meets the need in full)."""

    demand: Demand
    capability: Capability | None
    relaxed: tuple[Relaxation, ...] = ()
    steps: tuple[Step, ...] = ()


def choices_of(
    need: Need,
    capabilities: Sequence[Capability],
    memory_of: MemoryOf,
    constraints: tuple[Constraint, ...],
    group: str,
) -> list[Choice]:
    """Every capability as a choice, those that meet the need in full first."""
    made = []
    for number, capability in enumerate(capabilities):
        relaxed, steps = _shortfall(need, capability)
        if len(steps) <= STEPS_MAX:
            shape = capability.shape
            demand = demand_for(need, f"{group}/{number}", shape.threads, memory_of(shape), constraints, group)
            made.append(Choice(demand, capability, relaxed, steps))
    return sorted(made, key=lambda choice: (len(choice.steps), choice.demand.id))


def with_fewer(choice: Choice, smaller: Alternative) -> Choice:
    """A gang with fewer of its members, as placement found that they fit."""
    asked, offered = choice.demand.roles[0].count, smaller.demand.roles[0].count
    gives_up = Relaxation(axis="less", what="resources.members", asked=str(asked), offered=str(offered))
    return Choice(smaller.demand, choice.capability, (*choice.relaxed, gives_up), smaller.steps)


def demand_for(
    need: Need, id: str, cores: int, memory_bytes: int, constraints: tuple[Constraint, ...], group: str
) -> Demand:
    """One member with so many whole cores when the need wants them; on its machine they lie as near each other as they
    can."""
    role = Role(cores=cores, memory_bytes=memory_bytes)
    return Demand(
        id=id,
        roles=(role,),
        group=group,
        start=Start(need.when.earliest_ms, need.when.latest_ms),
        duration_ms=need.when.duration_ms,
        constraints=constraints,
    )


def _shortfall(need: Need, capability: Capability) -> tuple[tuple[Relaxation, ...], tuple[Step, ...]]:
    relaxed: list[Relaxation] = []
    steps: list[Step] = []
    assert need.load is not None, "only inference has capabilities"
    if capability.load != need.load:
        asked, offered = need.load.arrivals_per_second, capability.load.arrivals_per_second
        relaxed.append(
            Relaxation(
                axis="less",
                what="load.requestsPerSecond",
                asked=f"{asked:g}/s of {need.load.prompt_tokens}+{need.load.output_tokens} tokens",
                offered=f"{offered:g}/s of {capability.load.prompt_tokens}+{capability.load.output_tokens} tokens",
            )
        )
        steps.append(Step("less", max(1e-9, 1 - offered / asked), f"{offered:g} of {asked:g} requests a second"))
    worst = 0.0
    for carried in capability.carried:
        if carried.excess > 0:
            asked_text, offered_text = asked_and_carried(carried)
            what = f"objectives.{carried.objective.name}"
            if isinstance(carried.objective, AvailabilityObjective):
                relaxed.append(Relaxation(axis="availability", what=what, asked=asked_text, offered=offered_text))
                short = (carried.objective.share_micro - carried.share_micro) / MICRO
                steps.append(Step("availability", short, f"answers {offered_text}"))
                continue
            relaxed.append(Relaxation(axis="slower", what=what, asked=asked_text, offered=offered_text))
            worst = max(worst, carried.excess)
    if worst > 0:
        steps.append(Step("slower", worst, f"{worst:.0%} slower"))
    if need.guarantee == "guaranteed" and capability.evidence.neighbours == "quiet":
        beside = "as they were when it was measured in service"
        relaxed.append(Relaxation(axis="isolation", what="evidence.neighbours", asked="busy", offered=beside))
        steps.append(Step("isolation", 0.1, "measured beside whatever neighbours there were"))
    if capability.confidence < need.assurance.confidence:
        relaxed.append(
            Relaxation(
                axis="confidence",
                what="assurance.confidence",
                asked=f"{need.assurance.confidence:g}",
                offered=f"{capability.confidence:g}",
            )
        )
        steps.append(Step("confidence", need.assurance.confidence - capability.confidence))
    return tuple(relaxed), tuple(steps)


def asked_and_carried(carried: Carried) -> tuple[str, str]:
    """What is asked and what the evidence carries, as the API writes both."""
    match carried.objective:
        case RateObjective():
            offered = f"{rounded_down(carried.floor_micro)}/s"
        case AvailabilityObjective():
            offered = str(promised_share(carried.share_micro))
        case _:
            offered = str(rounded_up(carried.bound.value))
    return asked_text(carried.objective), offered


def asked_text(objective: Objective) -> str:
    """The bound or floor of an objective."""
    if isinstance(objective, RateObjective):
        return f"{Rate(objective.floor_micro)}/s"
    if isinstance(objective, AvailabilityObjective):
        return str(Ratio(objective.share_micro))
    return str(Duration(objective.bound_ns))


def promised_share(share_micro: int) -> Ratio:
    """A carried availability as it is promised: down to whole thousandths, so never more than was measured.

    Above 0.999 that would say nothing, and all of its digits are said.
    """
    return Ratio(share_micro // 1000 * 1000 if share_micro < 999_000 else share_micro)


def rounded_up(bound_ns: float) -> Duration:
    """A measured bound as it is promised: up to the next of two significant digits, so never tighter than measured."""
    value = int(bound_ns) + (bound_ns > int(bound_ns))
    step = 10 ** max(0, len(str(value)) - 2)
    return Duration(-(-value // step) * step)
