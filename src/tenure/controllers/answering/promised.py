"""What a choice and its plan promise: hard promises from the plan, statistical ones from the evidence. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tenure.controllers.answering.choices import Choice, promised_share, rounded_up
from tenure.controllers.answering.deadline import promised_by
from tenure.controllers.answering.floors import rounded_down
from tenure.controllers.answering.measured import Carried
from tenure.controllers.answering.need import Need
from tenure.controllers.machine.limits import LOCAL_DISK, NETWORK
from tenure.controllers.probing import probe_rate
from tenure.ledger.convert import ALIKE, RESERVE
from tenure.placement import Claim, Plan
from tenure.placement.preferences import LINK
from tenure.promises import AvailabilityObjective, LatencyObjective, Method, RateObjective, View
from tenure.quantities import ByteRate, Bytes, Duration, Instant, Rate, Ratio, format_instant
from tenure.resources.kinds.allocation import EvidenceSummary, HardPromise, Promises, StatisticalPromise
from tenure.resources.kinds.objectives import Load as WireLoad

NAMED_MAX = 4
"""Machines or devices that a sentence names; the hold lists them all."""


def promises_of(
    need: Need, choice: Choice, plan: Plan, *, simulated: bool = False, views: Sequence[View] = ()
) -> Promises:
    """Hard promises from the plan, statistical ones from the evidence; never mixed."""
    hard = [*(simulated_hard(plan) if simulated else _reserved(plan)), *_linked(choice, plan)]
    hard += _spread_out(choice, plan)
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


def parts(plan: Plan) -> tuple[list[Claim], list[Claim]]:
    """What the work runs on, and what is held back for it."""
    return [c for c in plan.claims if c.role != RESERVE], [c for c in plan.claims if c.role == RESERVE]


def _held_back(plan: Plan) -> list[HardPromise]:
    """The reserve, as it is promised."""
    work, held = parts(plan)
    said = []
    for claim in held:
        cores = f"{len(claim.cores)} whole: {', '.join(map(str, claim.cores))}"
        memory = f", {Bytes(claim.memory_bytes)}" if claim.memory_bytes else ""
        devices = f", {len(claim.devices)} devices" if claim.devices else ""
        where = f" on {claim.machine}" + (", the same machine" if claim.machine == work[0].machine else "")
        said.append(HardPromise(what=RESERVE, value=f"{cores}{memory}{devices}{where}; nobody else may have it"))
    return said


def _reserved(plan: Plan) -> list[HardPromise]:
    claim = parts(plan)[0][0]
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
    work = parts(plan)[0]
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
        cores = "1 core" if len(each.cores) == 1 else f"{len(each.cores)} cores"
        return f"{name}{len(claims)}, each {cores}, {Bytes(each.memory_bytes)}"

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


def _linked(choice: Choice, plan: Plan) -> list[HardPromise]:
    """The link between members, as is required, or preferred and kept. It is as good as what the site declares of the
    levels that they share."""
    required, preferred = choice.demand.link_bytes_per_s_min or 0, choice.demand.preferred_link_bytes_per_s_min or 0
    if preferred > required and len(parts(plan)[0]) > 1 and any(p.kept for p in plan.preferences if p.what == LINK):
        return [HardPromise(what=LINK, value=f"at least {ByteRate(preferred)} between any two, as preferred")]
    if not required:
        return []
    return [HardPromise(what=LINK, value=f"at least {ByteRate(required)} between any two, as declared")]


def _spread_out(choice: Choice, plan: Plan) -> list[HardPromise]:
    """How many members a failure takes at most, where that was asked for, or preferred and kept. A lone member is
    apart from nobody."""
    required, preferred = choice.demand.spread, choice.demand.preferred_spread
    if len(parts(plan)[0]) <= 1:
        return []
    said = [f"at most {required.members_max} in one {required.level}"] if required is not None else []
    if preferred is not None and any(one.kept for one in plan.preferences if one.what.startswith("spread:")):
        said.append(f"at most {preferred.members_max} in one {preferred.level}, as preferred")
    return [HardPromise(what="spread", value="; ".join(said))] if said else []


def _devices(plan: Plan) -> str:
    work = parts(plan)[0]
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
