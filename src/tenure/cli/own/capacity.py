"""`tenure capacity SITE`: what a site can still carry, which limit ends it, and what one more unit of it unlocks."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tenure.cli import exit_codes, failures, screen
from tenure.cli.door import open_door
from tenure.cli.ledger import the_site
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.cli.recount_facts import second_names
from tenure.controllers.machine.fleet import fleet_of
from tenure.ledger.convert import to_placed
from tenure.ledger.records import on_its_host, record_of_contract, record_of_offer
from tenure.placement import Calendar, CapacityReport, DeviceRequest, Draw, Limit, Role, capacity
from tenure.quantities import Bytes, QuantityError, SystemClock
from tenure.resources import Contract, Engine, HardwareProfile, Machine, Offer, Site
from tenure.resources.spelling import did_you_mean

WORDS = {"power": "power", "cooling": "cooling", "rackUnits": "floor", "cores": "cores", "memory": "memory"}
MEGAWATT_MW = 10**9


def show(
    site: str = "",
    *,
    cores: Annotated[int, Parameter(help="Cores of one unit that is asked for.")] = 0,
    memory: Annotated[str, Parameter(help="Memory of one unit, such as 16Gi.")] = "0",
    gpus: Annotated[int, Parameter(help="GPUs of one unit; without any of these, one GPU (or one core).")] = 0,
    model: Annotated[str, Parameter(help="Only GPUs of this model.")] = "",
    draw: Annotated[
        list[str], Parameter(negative=(), help="What one unit takes of a named budget: licence:solver, or NAME=COUNT.")
    ] = [],  # noqa: B006 - cyclopts reads the default; it is never changed
    fleet: Annotated[Path | None, Parameter(help="Ask of the fleet in this file instead; no host is needed.")] = None,
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """What a site can still carry now: the limit that binds with its numbers, and what one more unit of it unlocks.

    Parameters
    ----------
    site
        The site; without it, the only one.
    """
    as_json = check_output(output)
    member = _member(cores, _memory(memory), gpus, model, tuple(map(_draw, draw)))
    now_ms = SystemClock().now_ms()
    if fleet is not None:
        report = _of_file(fleet, member, now_ms)
    else:
        with open_door(reach) as door:
            named = the_site(door, site)
            found = door.client.get(Site, named)
            machines = [m for m in door.client.list(Machine).items if m.spec.site == named]
            profiles = door.client.list(HardwareProfile).items
            records = [
                *map(record_of_offer, door.client.list(Offer).items),
                *map(record_of_contract, door.client.list(Contract).items),
            ]
            engines = [engine for engine in door.client.list(Engine).items if engine.spec.site == named]
        same = second_names(engines, machines)
        own = [on_its_host(r, next(iter(same.values()), None)) for r in records if r.counts and r.hold.site == named]
        machines = [machine for machine in machines if machine.name not in same]
        report = _report(found, machines, profiles, Calendar.of(to_placed(r.hold) for r in own), member, now_ms)
    if as_json:
        screen.say_as("Capacity", report_json(report))
    else:
        _say(report)
    return exit_codes.YES


def _memory(text: str) -> Bytes:
    try:
        return Bytes.parse(text)
    except QuantityError as error:
        raise failures.usage(f"--memory {error}", "write --memory 16Gi", "InvalidQuantity") from None


def _draw(text: str) -> Draw:
    name, equals, count = text.partition("=")
    if not name or (equals and not (count.isdecimal() and int(count))):
        raise failures.usage(f"--draw {text}: this is no budget and a count", "--draw licence:solver=2", "InvalidValue")
    return Draw(name, int(count or 1))


def _member(cores: int, memory: Bytes, gpus: int, model: str, drawn: tuple[Draw, ...]) -> Role | None:
    for option, count in (("--cores", cores), ("--gpus", gpus)):
        if count < 0:
            raise failures.usage(f"{option} {count}: nothing has fewer than none", f"write {option} 1", "InvalidValue")
    if not (cores or int(memory) or gpus or model or drawn):
        return None
    devices = (DeviceRequest("gpu", max(1, gpus), models=frozenset({model} if model else ())),) if gpus or model else ()
    return Role(cores=cores, memory_bytes=int(memory), devices=devices, draws=drawn)


def _report(
    site: Site,
    machines: Sequence[Machine],
    profiles: Sequence[HardwareProfile],
    calendar: Calendar,
    member: Role | None,
    now_ms: int,
) -> CapacityReport:
    fleet = fleet_of(site, machines, profiles, every_budget=True)
    if not any(machine.schedulable for machine in fleet.machines):
        raise failures.not_found(f"site {site.name} has no machine in service", "tenure get machines")
    drawn = [draw.budget for draw in member.draws] if member else []
    _check_drawn_alone(drawn, {budget.name for budget in fleet.budgets if budget.crossing})
    _check_declared(drawn, {budget.name for budget in fleet.budgets if not budget.crossing}, site.name)
    return capacity(fleet, calendar, site.name, at_ms=now_ms, member=member)


def _check_drawn_alone(drawn: Sequence[str], crossing: AbstractSet[str]) -> None:
    """An uplink is taken between members that stand apart, and the units that are counted stand alone."""
    for name in drawn:
        if name in crossing:
            raise failures.usage(
                f"--draw {name}: one unit by itself takes nothing of an uplink; only members do whose others stand "
                "elsewhere",
                "leave it out; tenure ask answers for a gang",
                "InvalidValue",
            )


def _check_declared(drawn: Sequence[str], declared: AbstractSet[str], site: str) -> None:
    """What has no limit does not bind, so a name that was mistyped would look like endless room."""
    for name in drawn:
        if name not in declared:
            meant = did_you_mean(name, declared)
            known = ", ".join(sorted(declared)) or "none"
            raise failures.not_found(
                f"--draw {name}: site {site} declares no such budget" + (f"; did you mean {meant}?" if meant else ""),
                f"declared here: {known}; a Site declares more in spec.named",
            )


def _of_file(path: Path, member: Role | None, now_ms: int) -> CapacityReport:
    from tenure.controllers.machine.simulated import as_observed
    from tenure.discovery.fleets import read_fleet

    found = read_fleet(path)
    machines = as_observed(found, now_ms)
    return _report(found.site, machines, found.profiles, Calendar(), member, now_ms)


def verdict(report: CapacityReport) -> str:
    """power-bound, gpu-bound ...; open where no single limit ends it."""
    return f"{kind_text(report.binding.kind)}-bound" if report.binding is not None else "open"


def kind_text(kind: str) -> str:
    """A kind of limit as people call it."""
    return WORDS.get(kind, kind.removeprefix("devices:"))


def amount(value: int, unit: str) -> str:
    """An amount of a limit in the unit that people read."""
    if unit == "mW":
        return f"{value / 1e6:,.1f} kW" if abs(value) >= 10**6 else f"{value / 1e3:,.0f} W"
    if unit == "bytes/s":
        return f"{value / 1e9:,.1f} GB/s" if value >= 10**9 else f"{value / 1e6:,.0f} MB/s"
    if unit == "bytes":
        return f"{value / 2**40:,.1f} TiB" if value >= 2**40 else f"{value / 2**30:,.1f} GiB"
    return f"{value:,} {_one(unit) if value == 1 else unit}".strip()


def _one(unit: str) -> str:
    """The unit of a single one: a core, a device, a seat."""
    return unit[:-1] if unit.endswith("s") and not unit.endswith("ss") else unit


def _say(report: CapacityReport) -> None:
    unit = member_text(report.member)
    screen.say(f"site {report.site}: {verdict(report)}; {report.members:,} x {unit} fit now")
    screen.say_table(
        ("limit", "used", "of", "share", "units if it did not bind"),
        [
            (
                kind_text(limit.kind),
                amount(limit.used, limit.unit),
                amount(limit.limit, limit.unit),
                f"{limit.share:.0%}",
                f"{limit.members_without:,}",
            )
            for limit in report.limits
        ],
    )
    if report.machines_out or report.devices_out:
        out = (("machine", report.machines_out), ("device", report.devices_out))
        said = [f"{count:,} {what}{'s' if count > 1 else ''}" for what, count in out if count]
        screen.say(f"out of service and not counted: {', '.join(said)}")
    binding = report.binding
    if binding is None:
        screen.say("no single limit ends it")
        return
    for domain, used, limit in binding.domains[:4]:
        screen.say(f"  {domain}: {amount(used, binding.unit)} of {amount(limit, binding.unit)}")
    screen.say(_unlocks(report, binding, unit))


def _unlocks(report: CapacityReport, binding: Limit, unit: str) -> str:
    one = report.one_more or 0
    text = f"{amount(one, binding.unit)} more of {kind_text(binding.kind)} carries one more {unit}"
    if binding.unit == "mW" and one and report.each:
        # What is left of it goes into the first of them only, and not all need be on machines that draw the least.
        carried = 1 + (MEGAWATT_MW - one) // report.each if one <= MEGAWATT_MW else 0
        text += f"; one more megawatt up to {min(report.unlocks, carried):,}"
    end = f", then {kind_text(report.next_limit)} binds" if report.next_limit else ""
    return f"{text}; {report.unlocks:,} in all{end}"


def member_text(role: Role) -> str:
    """One unit in words."""
    parts = []
    for request in role.devices:
        named = "/".join(sorted(request.models)) or request.device_class.upper()
        parts.append(f"{request.count} {named}" if request.count > 1 else named)
    parts += [amount(role.cores, "cores")] if role.cores else []
    parts += [f"{role.memory_bytes / 2**30:g} GiB"] if role.memory_bytes else []
    parts += [f"{draw.amount} {draw.budget}" for draw in role.draws]
    return " + ".join(parts) or "nothing"


def report_json(report: CapacityReport) -> dict[str, Any]:
    """The report for programs."""
    return {**report.to_json(), "verdict": verdict(report)}
