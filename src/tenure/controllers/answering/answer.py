"""The answer to a need, as a value: offers in full, counter-offers, a refusal, or the trial it takes to know. Pure.

Everything that can be known was gathered before; this decides, on one generation of the ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tenure.controllers.answering.capability import Capability
from tenure.controllers.answering.choices import Choice, MemoryOf, choices_of, demand_for, with_fewer
from tenure.controllers.answering.chosen import chosen_of
from tenure.controllers.answering.costs import costs_of
from tenure.controllers.answering.deadline import unproven
from tenure.controllers.answering.explicit import Wanted, with_wanted
from tenure.controllers.answering.ground import Ground
from tenure.controllers.answering.limits import over_limits
from tenure.controllers.answering.need import Need
from tenure.controllers.answering.policy import POLICY, Policy
from tenure.controllers.answering.preference import preferred, slack_of
from tenure.controllers.answering.quotes import quote_of
from tenure.controllers.answering.refusal import limit_refusal, performance_binding, refusal_of, shape_funnel
from tenure.controllers.answering.reserve import naming_reserve, parted, plan_apart, with_reserve, without_reserve
from tenure.controllers.answering.trial_wish import TrialWish
from tenure.controllers.answering.unpromised import over
from tenure.controllers.answering.within import within_limits
from tenure.controllers.subject import Subject
from tenure.placement import Alternative, Calendar, Constraint, Fleet, Plan, Refusal
from tenure.quantities import Duration, Instant
from tenure.resources import Machine
from tenure.resources.base import ApiObject
from tenure.resources.kinds.allocation import Relaxation, Shape
from tenure.resources.kinds.answer import Answer, Quote, RefusalDetail, TrialNeeded

OFFERS_MAX = 5


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What was gathered about one need, apart from the ledger."""

    need: Need
    capabilities: Sequence[Capability]
    shapes_measured: int
    trial: TrialWish | None  # set when the evidence is not enough to answer
    constraints: tuple[Constraint, ...]
    machines: Mapping[str, Machine]
    memory_of: MemoryOf
    subject: Subject | None = None
    neighbours: str = "quiet"
    cores: int = 1  # for work without shapes
    memory_bytes: int = 0
    wanted: Wanted = field(default_factory=Wanted)
    simulated: bool = False  # nothing can be measured: what is named is all there is to answer by
    seed: int = 0
    policy: Policy = POLICY  # by what one of several places that would do is chosen
    stands_on: Sequence[ApiObject] = ()  # as read: what is planned from this is committed only while they are there


@dataclass(frozen=True, slots=True)
class Planned:
    """A quote with the plan that stands behind it."""

    quote: Quote
    plan: Plan
    slack: float = 0.0  # of its performance, see `preference`


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer, and the plans to hold if it is an answer to hold."""

    answer: Answer
    planned: tuple[Planned, ...] = ()
    trial_plan: Plan | None = None


def answer(knowledge: Knowledge, fleet: Fleet, calendar: Calendar, group: str, now_ms: int) -> Answered:
    """Decide. `group` names the asker's own holds, which do not stand in their own way."""
    # By the clock of this very answer: what was still to come while it was gathered may be over by now.
    need = replace(knowledge.need, when=knowledge.need.when.from_(now_ms))
    knowledge = replace(knowledge, need=need, constraints=(*knowledge.constraints, *over(need, now_ms)))
    ground = Ground(fleet, calendar, now_ms, knowledge.seed, knowledge.policy)
    if knowledge.trial is not None:
        trial = _need_trial(knowledge, knowledge.trial, ground, group)
        if trial.trial_plan is not None or not knowledge.capabilities:
            return trial
        # No room to measure more: what is known already is the answer.
    choices = _choices(knowledge, ground, group)
    refused: Refusal | None = None
    planned: list[Planned] = []
    for choice in (choice for choice in choices if not choice.steps):
        found = plan_apart(choice.demand, ground)
        if isinstance(found, Plan):
            planned.append(_planned(knowledge, choice, found, ground))
        elif refused is None:
            refused = found
    ranking = preferred(need.preference, [(one.quote, one.slack) for one in planned])
    planned = [planned[place] for place in ranking]
    within = [one for one in planned if one.quote.meets_in_full]
    if within:
        return _offered(knowledge, "Offers", within, choices, ground)
    within = [one for one in planned if not over_limits(need.limits, one.quote.price, one.quote.watts)]
    if within:
        detail = unproven([one.quote for one in within])
        return _offered(knowledge, "CounterOffers", within, choices, ground, detail)
    if planned:
        return _over_limits(knowledge, planned, choices, ground)
    return _counter(knowledge, choices, refused, ground, group)


def _choices(knowledge: Knowledge, ground: Ground, group: str) -> list[Choice]:
    """Every way to serve that is known, with its reserve where one is kept."""
    need = knowledge.need
    if need.load is None or knowledge.simulated:
        demand = demand_for(need, group, knowledge.cores, knowledge.memory_bytes, knowledge.constraints, group)
        wanted = knowledge.wanted if knowledge.simulated else knowledge.wanted.alone
        choices = [Choice(with_wanted(demand, wanted, ground.fleet), None)]
    else:
        choices = choices_of(need, knowledge.capabilities, knowledge.memory_of, knowledge.constraints, group)
        where, fleet = knowledge.wanted.where, ground.fleet
        choices = [replace(choice, demand=with_wanted(choice.demand, where, fleet)) for choice in choices]
    if not need.keeps_reserve:
        return choices
    reserved = [with_reserve(choice, ground.fleet) for choice in choices]
    return [*reserved, *(lesser for choice in reserved if (lesser := without_reserve(choice)) is not None)]


def _over(knowledge: Knowledge, found: Plan, ground: Ground) -> list[Relaxation]:
    """The limits of money and power that a plan exceeds."""
    costs = costs_of(found, knowledge.machines, ground.fleet, simulated=knowledge.simulated)
    return over_limits(knowledge.need.limits, *costs)


def _counter(
    knowledge: Knowledge, choices: Sequence[Choice], refused: Refusal | None, ground: Ground, group: str
) -> Answered:
    """Nothing meets the need in full: say what binds, and which smallest relaxations fit."""
    need, now_ms = knowledge.need, ground.now_ms
    full = [choice for choice in choices if not choice.steps]
    lesser = [choice for choice in choices if choice.steps]
    if full:
        reference = full[0].demand
    else:
        # No shape keeps the objectives: a demand that no machine can carry stands for the need as asked.
        binding = performance_binding(need, choices)
        cores = max((c.demand.roles[0].cores for c in choices), default=1)
        reference = demand_for(need, f"{group}/asked", cores, 0, (*knowledge.constraints, binding), group)
        if refused is None:
            answer_now = ground.plan(reference)
            assert isinstance(answer_now, Refusal), "no machine satisfies the objective constraint"
            refused = answer_now
    assert refused is not None, "a full choice without a plan was refused"
    refused = naming_reserve(refused, reference, ground)
    detail = refusal_of(refused, shape_funnel(need, choices, knowledge.shapes_measured))
    if full:
        smaller = ground.fewer(reference) if knowledge.wanted.may_be_fewer else None
        lesser += [with_fewer(full[0], smaller)] if smaller is not None else []
        choices = [*full, *lesser]
    parts = [(part, choice) for choice in (*full, *lesser) for part in parted(choice.demand, ground.fleet)]
    by_part = {part.id: choice for part, choice in parts}
    asked = parts.pop(0)[0] if full else reference
    planned = []
    for offer in ground.relaxed(asked, [Alternative(part, choice.steps) for part, choice in parts]):
        choice = by_part.get(offer.plan.demand)
        if choice is not None:
            planned.append(_planned(knowledge, choice, replace(offer.plan, demand=choice.demand.id), ground))
    if planned:
        return _offered(knowledge, "CounterOffers", planned, choices, ground, detail)
    return Answered(_said(knowledge, "Refusal", now_ms, [], detail))


def _over_limits(
    knowledge: Knowledge, planned: Sequence[Planned], choices: Sequence[Choice], ground: Ground
) -> Answered:
    """It would fit and costs too much: that for more money or power, and what falls short within the limits."""
    cheaper = []
    for choice in (choice for choice in choices if choice.steps):
        found = plan_apart(choice.demand, ground)
        if isinstance(found, Plan):
            made = _planned(knowledge, choice, found, ground)
            if not over_limits(knowledge.need.limits, made.quote.price, made.quote.watts):
                cheaper.append(made)
    detail = limit_refusal([one.quote for one in planned])
    return _offered(knowledge, "CounterOffers", [*planned, *cheaper], choices, ground, detail)


def _planned(knowledge: Knowledge, choice: Choice, found: Plan, ground: Ground) -> Planned:
    """The quote of what was found, or of as much of it as lies within the limits."""
    views = knowledge.subject.views if knowledge.subject is not None else ()
    over = partial(_over, knowledge, ground=ground)
    plan = within_limits(choice.demand, found, ground.fleet, lambda demand: plan_apart(demand, ground), over)
    quote = quote_of(
        knowledge.need, choice, plan, knowledge.machines, ground.fleet, views, simulated=knowledge.simulated
    )
    return Planned(quote, plan, slack_of(choice.capability))


def _offered(
    knowledge: Knowledge,
    kind: str,
    planned: Sequence[Planned],
    choices: Sequence[Choice],
    ground: Ground,
    detail: RefusalDetail | None = None,
) -> Answered:
    """The first of them, each with what decided: another few questions, asked of what is shown alone."""
    demands = {choice.demand.id: choice.demand for choice in choices}
    wanted, over = knowledge.wanted, partial(_over, knowledge, ground=ground)

    def explained(one: Planned) -> Planned:
        demand = demands[one.plan.demand]
        chosen = chosen_of(one.plan, demand, wanted, ground, over, several=knowledge.simulated)
        return replace(one, quote=one.quote.model_copy(update={"chosen": chosen}))

    shown = tuple(explained(one) for one in planned[:OFFERS_MAX])
    return Answered(_said(knowledge, kind, ground.now_ms, shown, detail), shown)


def _need_trial(knowledge: Knowledge, wish: TrialWish, ground: Ground, group: str) -> Answered:
    """A trial is needed; it is said only after policy, and only where it could be held."""
    memory = max((knowledge.memory_of(shape) for shape in wish.shapes), default=0)
    need, now_ms = knowledge.need, ground.now_ms
    demand = demand_for(need, f"{group}/trial", wish.cores, memory, knowledge.constraints, f"trial-{group}")
    now = type(demand.start_at(now_ms))(now_ms, now_ms)
    trial_demand = type(demand)(
        id=demand.id,
        roles=demand.roles,
        group=demand.group,
        start=now,
        duration_ms=wish.duration_ms,
        constraints=demand.constraints,
    )
    found = ground.plan(trial_demand)
    if isinstance(found, Refusal):
        return Answered(_said(knowledge, "Refusal", now_ms, [], refusal_of(found, [])))
    needed = TrialNeeded(
        reason=wish.reason,
        shapes=[Shape(threads=shape.threads, slots=shape.slots) for shape in wish.shapes],
        duration=Duration(wish.duration_ms * 10**6),
        cores=wish.cores,
    )
    said = _said(knowledge, "NeedsTrial", now_ms, [])
    return Answered(said.model_copy(update={"needs_trial": needed}), trial_plan=found)


def _said(
    knowledge: Knowledge, kind: str, now_ms: int, planned: Sequence[Planned], refusal: RefusalDetail | None = None
) -> Answer:
    return Answer.model_validate(
        {
            "kind": kind,
            "answered_at": Instant(now_ms),
            "quotes": [p.quote for p in planned],
            "refusal": refusal,
            "assumed": list(knowledge.need.assumed),
        }
    )
