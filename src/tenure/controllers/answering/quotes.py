"""From a choice and its plan to what is said and held: promises, price, watts, a Quote, an Offer. Pure."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.controllers.answering.choices import Choice, promised_share, rounded_up
from tenure.controllers.answering.deadline import deadline_relaxed, promised_by
from tenure.controllers.answering.floors import rounded_down
from tenure.controllers.answering.limits import over_limits
from tenure.controllers.answering.measured import Carried
from tenure.controllers.answering.need import Need
from tenure.controllers.machine.limits import LOCAL_DISK, NETWORK
from tenure.controllers.probing import probe_rate
from tenure.ledger.convert import ALIKE, RESERVE, from_placed
from tenure.placement import Claim, Fleet, FleetMachine, Plan
from tenure.promises import DEFAULT_CREDIT, AvailabilityObjective, LatencyObjective, Method, RateObjective, View
from tenure.quantities import ByteRate, Bytes, Duration, Instant, Money, Power, Rate, Ratio, format_instant
from tenure.resources import Machine, ObjectMeta, Offer
from tenure.resources.base import OwnerReference
from tenure.resources.kinds.allocation import (
    CreditBand,
    EvidenceSummary,
    HardPromise,
    Price,
    Promises,
    Relaxation,
    Shape,
    StatisticalPromise,
    Watts,
)
from tenure.resources.kinds.answer import Quote
from tenure.resources.kinds.contract import OfferSpec, WorkloadReference
from tenure.resources.kinds.objectives import Load as WireLoad

NAMED_MAX = 4
"""Machines or devices that a sentence names; the hold lists them all."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the object whose need this is."""

    kind: str
    name: str
    namespace: str
    uid: str
    generation: int
    need: str  # digest of the need, see `need_digest`


def promises_of(
    need: Need, choice: Choice, plan: Plan, *, simulated: bool = False, views: Sequence[View] = ()
) -> Promises:
    """Hard promises from the plan, statistical ones from the evidence; never mixed."""
    hard = [*(simulated_hard(plan) if simulated else _reserved(plan)), *_linked(choice)]
    if choice.capability is None:
        if simulated:  # nothing runs that could be done in time; its first hard promise says so
            return Promises(hard=hard)
        by = promised_by(need, plan.start_ms)
        return Promises(hard=hard, complete_by=by, retention=Duration(need.retention_ms * 10**6))
    load = choice.capability.load
    return Promises(
        load=_wire_load(load.arrivals_micro, load.prompt_tokens, load.output_tokens),
        hard=hard,
        statistical=[_statistical(carried) for carried in choice.capability.carried],
        probes_per_second=probe_rate(load, need.assurance.window_ms),
        retention=Duration(need.retention_ms * 10**6),
        views=[view.value for view in views],
    )


def _parts(plan: Plan) -> tuple[list[Claim], list[Claim]]:
    """What the work runs on, and what is held back for it."""
    return [c for c in plan.claims if c.role != RESERVE], [c for c in plan.claims if c.role == RESERVE]


def _held_back(plan: Plan) -> list[HardPromise]:
    """The reserve, as it is promised."""
    work, held = _parts(plan)
    said = []
    for claim in held:
        cores = f"{len(claim.cores)} whole: {', '.join(map(str, claim.cores))}"
        memory = f", {Bytes(claim.memory_bytes)}" if claim.memory_bytes else ""
        devices = f", {len(claim.devices)} devices" if claim.devices else ""
        where = f" on {claim.machine}" + (", the same machine" if claim.machine == work[0].machine else "")
        said.append(HardPromise(what=RESERVE, value=f"{cores}{memory}{devices}{where}; nobody else may have it"))
    return said


def _reserved(plan: Plan) -> list[HardPromise]:
    claim = _parts(plan)[0][0]
    return [
        HardPromise(what="cores", value=f"{len(claim.cores)} whole, dedicated: {', '.join(map(str, claim.cores))}"),
        HardPromise(what="memory", value=str(Bytes(claim.memory_bytes))),
        HardPromise(what="machine", value=claim.machine),
        HardPromise(what="start", value=format_instant(plan.start_ms)),
        *([HardPromise(what="devices", value=_devices(plan))] if claim.devices else []),
        *_drawn(plan),
        *_held_back(plan),
        HardPromise(what="end", value=format_instant(plan.end_ms)),
    ]


def simulated_hard(plan: Plan) -> list[HardPromise]:
    """What a simulated fleet reserves; the first of these promises says that nothing runs there."""
    work = _parts(plan)[0]
    machines = {claim.machine for claim in work}
    where = ", ".join(sorted(machines)[:NAMED_MAX]) + (
        f" and {len(machines) - NAMED_MAX} more" if len(machines) > NAMED_MAX else ""
    )
    return [
        HardPromise(
            what="simulated", value="the fleet is simulated: reserved in the ledger, nothing runs, nothing is measured"
        ),
        HardPromise(what="members", value=_members(work)),
        *([HardPromise(what="devices", value=_devices(plan))] if any(claim.devices for claim in work) else []),
        HardPromise(what="machines", value=f"{len(machines)}: {where}"),
        *_drawn(plan),
        *_held_back(plan),
        HardPromise(what="shared", value=f"{plan.level} {plan.domain}".strip()),
        HardPromise(what="start", value=format_instant(plan.start_ms)),
        HardPromise(what="end", value=format_instant(plan.end_ms)),
    ]


def _members(work: Sequence[Claim]) -> str:
    """How many, and what each takes; by role where there are several."""
    by_role: dict[str, list[Claim]] = {}
    for claim in sorted(work, key=lambda claim: claim.role):
        by_role.setdefault(claim.role, []).append(claim)

    def said(role: str, claims: list[Claim]) -> str:
        each = claims[0]
        name = "" if role == ALIKE else f"{role}: "
        return f"{name}{len(claims)}, each {len(each.cores)} cores, {Bytes(each.memory_bytes)}"

    return "; ".join(said(role, claims) for role, claims in by_role.items())


def _drawn(plan: Plan) -> list[HardPromise]:
    """Of named budgets: so much, by all members together."""
    total: Counter[str] = Counter()
    for claim in plan.claims:
        for draw in claim.draws:
            total[draw.budget] += draw.amount

    def said(name: str, amount: int) -> str:
        if name == LOCAL_DISK:
            return f"{Bytes(amount)} in all, kept in the books; no quota enforces it"
        return f"{ByteRate(amount)} in all, over the uplinks between members" if name == NETWORK else str(amount)

    return [HardPromise(what=name, value=said(name, amount)) for name, amount in sorted(total.items())]


def _linked(choice: Choice) -> list[HardPromise]:
    """The link between members. It is as good as what the site declares of the levels that they share."""
    minimum = choice.demand.link_bytes_per_s_min
    if minimum is None:
        return []
    return [HardPromise(what="linkBandwidth", value=f"at least {ByteRate(minimum)} between any two, as declared")]


def _devices(plan: Plan) -> str:
    work = _parts(plan)[0]
    total = sum(device.milli for claim in work for device in claim.devices)
    one = ", ".join(device.id for device in work[0].devices[:NAMED_MAX])
    return f"{total / 1000:g} in all" + (f": {one}" if len(work) == 1 else "")


def _statistical(carried: Carried) -> StatisticalPromise:
    """What is asked is promised where the evidence carries it; where not, what the evidence does carry."""
    evidence = carried.evidence
    share = Ratio.parse(round(carried.assurance.share, 6))
    return StatisticalPromise(
        metric=str(carried.objective.metric),
        **({"share": share} | _limit(carried)),
        window=Duration(carried.assurance.window_ms * 10**6),
        confidence=Ratio.parse(round(carried.assurance.confidence, 6)),
        evidence=EvidenceSummary(
            grade="measured-here",
            method="by-windows" if carried.bound.method is Method.BY_WINDOWS else "by-requests",
            samples=len(evidence.samples),
            windows=len(evidence.windows),
            neighbours="busy" if evidence.neighbours == "busy" else "quiet",
            saturated=evidence.saturated,
            hardware_class=evidence.hardware_class,
            runtime=evidence.runtime,
            measured_at=Instant(evidence.measured_at_ms),
            load=_wire_load(evidence.load.arrivals_micro, evidence.load.prompt_tokens, evidence.load.output_tokens),
        ),
    )


def _limit(carried: Carried) -> dict[str, Any]:
    match carried.objective:
        case LatencyObjective():
            return _bound(carried, carried.objective)
        case AvailabilityObjective():
            asked, carries = Ratio(carried.objective.share_micro), promised_share(carried.share_micro)
            promised = asked if carried.excess <= 0 else carries
            return {"answered": promised, "share": promised, "asked_answered": asked, "carried_answered": carries}
    return _floor(carried)


def _bound(carried: Carried, objective: LatencyObjective) -> dict[str, Any]:
    asked, carries = Duration(objective.bound_ns), rounded_up(carried.bound.value)
    bound = asked if carried.excess <= 0 else carries
    return {"percentile": f"p{objective.percentile:g}", "bound": bound, "asked": asked, "carried": carries}


def _floor(carried: Carried) -> dict[str, Any]:
    assert isinstance(carried.objective, RateObjective)
    asked, carries = Rate(carried.objective.floor_micro), rounded_down(carried.floor_micro)
    return {"floor": asked if carried.excess <= 0 else carries, "asked_floor": asked, "carried_floor": carries}


def _wire_load(arrivals_micro: int, prompt_tokens: int, output_tokens: int) -> WireLoad:
    return WireLoad(requests_per_second=Rate(arrivals_micro), prompt_tokens=prompt_tokens, output_tokens=output_tokens)


def price_of(plan: Plan, machines: Mapping[str, Machine], fleet: Fleet) -> Price:
    """The machines' declared hourly cost by the largest of the shares of cores, memory, local disk and each class of
    devices; unknown if not."""
    total: Money | None = None
    held_back: Money | None = None
    for claim in plan.claims:
        machine = machines[claim.machine]
        cost, status = machine.spec.hourly_cost, machine.status
        if cost is None or status is None or not status.sellable_cores:
            return Price(
                unknown_because=f"nobody has declared what {claim.machine} costs: "
                f'tenure price set {claim.machine} "0.10 EUR"'
            )
        by_cores = (len(claim.cores), len(status.sellable_cores))
        by_memory = (claim.memory_bytes, int(status.sellable_memory or 0) or 1)
        of_disk = sum(draw.amount for draw in claim.draws if draw.budget == LOCAL_DISK)
        by_disk = (of_disk, int(machine.spec.local_disk or 0) or 1)
        shares = (by_cores, by_memory, by_disk, *_by_devices(claim, fleet.machine(claim.machine)))
        part = max(shares, key=lambda share: share[0] / share[1])
        share = cost.times(*part)
        total = share if total is None else total + share
        if claim.role == RESERVE:
            held_back = share if held_back is None else held_back + share
    if total is None:
        return Price(unknown_because="nothing is held")
    whole = total.times(plan.end_ms - plan.start_ms, 3_600_000)
    return Price(hourly=total, total=whole, reserve_hourly=held_back)


def _by_devices(claim: Claim, machine: FleetMachine) -> list[tuple[int, int]]:
    """(thousandths taken, all that the machine has) of each class of devices that a claim takes."""
    taken: Counter[str] = Counter()
    for device in claim.devices:
        taken[machine.device_index[device.id].device_class] += device.milli
    return [(milli, sum(d.milli for d in machine.devices if d.device_class == name)) for name, milli in taken.items()]


def _with_credit(price: Price, promises: Promises) -> Price:
    """The price with the schedule by which it comes back, said before anyone accepts, where anything is measured or
    due."""
    if not promises.statistical and promises.complete_by is None:
        return price
    bands = [
        CreditBand(below_percent=round(step.below * 100), credit_percent=round(step.share * 100))
        for step in DEFAULT_CREDIT
    ]
    return price.model_copy(update={"credit": bands})


def watts_of(plan: Plan, machines: Mapping[str, Machine]) -> Watts:
    """What it draws, as far as anybody knows; inside a virtual machine nobody does."""
    machine = machines[plan.claims[0].machine]
    virtual = machine.status.virtual if machine.status else None
    if virtual:
        return Watts(unknown_because=f"{machine.name} is a virtual machine ({virtual}), which does not see its power")
    if machine.spec.rated_power is None:
        return Watts(unknown_because=f"no power reading and no rated power is declared for {machine.name}")
    cores = machine.status.cores if machine.status and machine.status.cores else 1
    # The reserve counts: whoever is promised these watts may have it brought in.
    held = sum(len(claim.cores) for claim in plan.claims)
    power = type(machine.spec.rated_power)(int(machine.spec.rated_power) * held // cores)
    return Watts(power=power, basis="rated power of the machine by the share of its cores")


def relaxed_of(choice: Choice, plan: Plan, need: Need) -> list[Relaxation]:
    """What the choice gives up, and the wait if its plan starts later than asked."""
    relaxed = list(choice.relaxed)
    if plan.start_ms > need.when.latest_ms:
        relaxed.append(
            Relaxation(
                axis="later",
                what="term.start",
                asked=format_instant(need.when.latest_ms),
                offered=format_instant(plan.start_ms),
            )
        )
    return relaxed


def rated_watts_of(plan: Plan, fleet: Fleet) -> Watts:
    """What cores and devices held are rated at, added up."""
    total = 0
    for claim in plan.claims:
        machine = fleet.machine(claim.machine)
        rated = [machine.device_index[device.id].power.rated_mw for device in claim.devices]
        if None in rated or (claim.cores and machine.core_power.rated_mw is None):
            return Watts(unknown_because=f"no rated power is declared for {claim.machine}")
        for device, figure in zip(claim.devices, rated, strict=True):
            total += -(-(figure or 0) * device.milli // machine.device_index[device.id].milli)
        total += len(claim.cores) * (machine.core_power.rated_mw or 0)
    return Watts(power=Power(-(-total // 1000) * 1000), basis="rated power of the cores and devices held, simulated")


def quote_of(
    need: Need,
    choice: Choice,
    plan: Plan,
    machines: Mapping[str, Machine],
    fleet: Fleet,
    views: Sequence[View] = (),
    *,
    simulated: bool = False,
) -> Quote:
    """One way to serve, as it is said. `simulated` is a fleet where nothing runs; `views` are who will look at it."""
    price = price_of(plan, machines, fleet)
    watts = rated_watts_of(plan, fleet) if simulated else watts_of(plan, machines)
    relaxed = [*relaxed_of(choice, plan, need), *over_limits(need.limits, price, watts)]
    relaxed += deadline_relaxed(need, plan.start_ms) if not simulated else []
    promises = promises_of(need, choice, plan, simulated=simulated, views=views)
    return Quote(
        meets_in_full=not relaxed,
        relaxed=relaxed,
        promises=promises,
        shape=_shape(choice),
        runtime=choice.capability.evidence.runtime if choice.capability else None,
        cores=sum(len(claim.cores) for claim in plan.claims),
        memory=Bytes(sum(claim.memory_bytes for claim in plan.claims)),
        reserve_cores=sum(len(claim.cores) for claim in _parts(plan)[1]) or None,
        start=Instant(plan.start_ms),
        end=Instant(plan.end_ms),
        price=_with_credit(price, promises),
        watts=watts,
        machine=_parts(plan)[0][0].machine,
    )


def offer_of(asker: Asker, quote: Quote, plan: Plan, rank: int, expires_ms: int, salt: str) -> Offer:
    """The Offer that holds a quote. Its name follows from who asks, which version, and the salt of this answer."""
    name = f"{asker.name}-{short_digest(asker.uid, asker.need, salt, str(rank))}"
    return Offer(
        metadata=ObjectMeta(
            name=name,
            namespace=asker.namespace,
            labels={"tenure.dev/workload": asker.name},
            owner_references=[
                OwnerReference(
                    api_version="tenure.dev/v1alpha1", kind=asker.kind, name=asker.name, uid=asker.uid, controller=True
                )
            ],
        ),
        spec=OfferSpec(
            workload=reference_to(asker),
            rank=rank,
            meets_in_full=quote.meets_in_full,
            relaxed=quote.relaxed,
            promises=quote.promises,
            shape=quote.shape,
            runtime=quote.runtime,
            machine=quote.machine,
            price=quote.price,
            watts=quote.watts,
            expires_at=Instant(expires_ms),
            hold=from_placed(plan.hold(f"{asker.uid}-{short_digest(name)}")),
            planned_generation=0,
        ),
    )


def reference_to(asker: Asker) -> WorkloadReference:
    """The asker as Offers and Contracts name it."""
    return WorkloadReference(name=asker.name, uid=asker.uid, generation=asker.generation, need=asker.need)


def short_digest(*parts: str) -> str:
    """Six hexadecimal characters that follow from the parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:6]


def _shape(choice: Choice) -> Shape | None:
    if choice.capability is None:
        return None
    return Shape(threads=choice.capability.shape.threads, slots=choice.capability.shape.slots)
