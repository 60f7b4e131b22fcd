"""A refusal of placement, in the API's words, with the shapes that performance removed in front. Pure."""

from collections.abc import Sequence

from tenure.controllers.answering.available import lacking_windows
from tenure.controllers.answering.choices import Choice, asked_and_carried, asked_text
from tenure.controllers.answering.measured import Carried
from tenure.controllers.answering.need import Need
from tenure.ledger.convert import RESERVE
from tenure.placement import Binding as PlacedBinding
from tenure.placement import Constraint, Refusal
from tenure.promises import AvailabilityObjective, Objective
from tenure.quantities import ByteRate, Duration, Instant
from tenure.resources.kinds.answer import Binding, FunnelStep, Quote, RefusalDetail

PERFORMANCE = "objectives"


def performance_binding(need: Need, choices: Sequence[Choice]) -> Constraint:
    """The objective that no measured shape keeps under the load asked, as a constraint that no machine satisfies."""
    hint = "nothing was measured that carries a bound; a longer trial may: tenure trial -f FILE --for 10m"
    name = PERFORMANCE
    if need.availability is not None:
        hint = f"nothing was measured that carries a bound; {longer_trial(need)}"
    best = _closest(need, choices)
    if best is not None:
        carried, choice = best
        assert choice.capability is not None
        asked, offered = asked_and_carried(carried)
        name = f"{PERFORMANCE}.{carried.objective.name}"
        hint = f"asked {asked}, the best of what was measured here carries {offered} ({choice.capability.shape})"
        if isinstance(carried.objective, AvailabilityObjective):
            hint += f"; {longer_trial(need)}"
    return Constraint(id=name, imposed_by="workload", machines=frozenset(), hint=hint)


def longer_trial(need: Need) -> str:
    """How long would have to be measured for the availability asked, were every window answered."""
    assert need.availability is not None, "asked for an availability"
    windows = lacking_windows(need.availability, need.assurance)
    window = Duration(need.assurance.window_ms * 10**6)
    length = Duration(-(-windows * need.assurance.window_ms // 60_000) * 60 * 10**9)
    return (
        f"{asked_text(need.availability)} takes {windows} windows of {window} that are all answered: "
        f"tenure trial -f FILE --for {length}"
    )


def _closest(need: Need, choices: Sequence[Choice]) -> tuple[Carried, Choice] | None:
    """The worst objective of the shape that comes nearest at the load asked."""
    at_load = [c for c in choices if c.capability is not None and c.capability.load == need.load]
    worst = [
        (max(choice.capability.carried, key=lambda carried: carried.excess), choice)
        for choice in at_load
        if choice.capability is not None and choice.capability.carried
    ]
    return min(worst, key=lambda found: found[0].excess, default=None)


def shape_funnel(need: Need, choices: Sequence[Choice], shapes_measured: int) -> list[FunnelStep]:
    """How many measured shapes each objective removed, in the order in which the objectives were written."""
    # A shape may be there twice, with a reserve and without: it is one shape.
    at_load = [*{id(c.capability): c for c in choices if c.capability and c.capability.load == need.load}.values()]
    if not shapes_measured:
        return []
    steps = [
        FunnelStep(
            constraint="load",
            imposed_by="workload",
            removed=shapes_measured - len(at_load),
            remaining=len(at_load),
            detail="shapes measured that carry a bound at the load asked",
        )
    ]
    left = at_load
    for objective in need.objectives:
        kept = [choice for choice in left if _keeps(choice, objective)]
        steps.append(
            FunnelStep(
                constraint=f"{PERFORMANCE}.{objective.name}",
                imposed_by="workload",
                removed=len(left) - len(kept),
                remaining=len(kept),
                detail=f"shapes that keep {asked_text(objective)}",
            )
        )
        left = kept
    return steps


def _keeps(choice: Choice, objective: Objective) -> bool:
    capability = choice.capability
    assert capability is not None
    return all(c.excess <= 0 for c in capability.carried if c.objective == objective)


def limit_refusal(quotes: Sequence[Quote]) -> RefusalDetail:
    """The limit of money or power that every way to meet the rest exceeds, with the least that it takes."""
    least = min(quotes, key=lambda quote: quote.price.hourly.micros if quote.price.hourly is not None else 0)
    over = next(relaxed for relaxed in least.relaxed if relaxed.axis in ("price", "power"))
    return RefusalDetail(
        binding=Binding(
            constraint=over.what,
            imposed_by="workload",
            message=f"{over.what}: at most {over.asked} is allowed, all else would be met for {over.offered}",
            next_step=f"allow {over.offered}, or ask for less",
        ),
        funnel=[
            FunnelStep(
                constraint=over.what,
                imposed_by="workload",
                removed=len(quotes),
                remaining=0,
                detail="ways that meet all else",
            )
        ],
        conflicting=[over.what],
    )


def refusal_of(refusal: Refusal, front: Sequence[FunnelStep]) -> RefusalDetail:
    """Placement's refusal in the API's words."""
    binding = refusal.binding
    # Where no shape is left there is nothing to place, and the machines' own funnel would say nothing.
    steps = () if front and front[-1].remaining == 0 and not binding.policy else refusal.funnel
    return RefusalDetail(
        binding=bound_by(binding),
        funnel=[
            *front,
            *(
                FunnelStep(
                    constraint=step.constraint,
                    imposed_by=step.imposed_by,
                    removed=step.removed,
                    remaining=step.after,
                    detail=step.stage,
                )
                for step in steps
            ),
        ],
        conflicting=[conflict.constraint for conflict in refusal.conflict],
    )


def bound_by(binding: PlacedBinding) -> Binding:
    """What binds, in the API's words."""
    return Binding(
        constraint=binding.constraint,
        imposed_by=binding.imposed_by,
        message=_message(binding),
        unit=binding.unit or None,
        needed=binding.needed,
        available=binding.available,
        capacity=binding.capacity,
        frees_at=Instant(binding.frees_at_ms) if binding.frees_at_ms is not None else None,
        next_step=binding.hint or None,
    )


def _message(binding: PlacedBinding) -> str:
    if binding.constraint.startswith(PERFORMANCE):
        return f"no shape measured here keeps {binding.constraint.removeprefix('objectives.')}: {binding.hint}"
    if binding.policy:
        return f"{binding.constraint} (imposed by {binding.imposed_by}) permits none of the places that would fit"
    word = binding.unit.removesuffix("s") if binding.needed == 1 else binding.unit
    unit = f" {word}" if word else ""
    needed, available, capacity = f"{binding.needed}{unit}", str(binding.available), str(binding.capacity)
    if binding.unit == "bytes/s":
        # What is overdrawn has nothing available.
        figures = (binding.needed, max(0, binding.available), binding.capacity)
        needed, available, capacity = (str(ByteRate(figure)) for figure in figures)
    beside = " beside the work" if binding.constraint == RESERVE else ""
    numbers = f"{needed} needed{beside}, {available} available, {capacity} in all"
    when = f"; free from {Instant(binding.frees_at_ms)}" if binding.frees_at_ms is not None else ""
    return f"{binding.constraint}: {numbers}{when}"
