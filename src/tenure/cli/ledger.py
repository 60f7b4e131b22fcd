"""`tenure ledger`: the books, and the independent recount of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cyclopts import App

from tenure.cli import exit_codes
from tenure.cli.door import Door, open_door
from tenure.cli.failures import not_found, usage
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.recount_facts import capacity_of, limits_of, second_names
from tenure.cli.screen import say, say_as, say_table
from tenure.cli.words import counted
from tenure.client import home_directory
from tenure.client.calls import decode
from tenure.ledger.records import Record, record_of_contract, record_of_offer
from tenure.ledger.recount import Finding, RunFact, recount
from tenure.quantities import Bytes, SystemClock, format_instant
from tenure.resources import ApiObject, Contract, Engine, HardwareProfile, Machine, Offer, Site
from tenure.resources.kinds.site import LedgerStatus, SiteStatus

if TYPE_CHECKING:
    from tenure.store import Store

T = TypeVar("T", bound=ApiObject)

app = App(name="ledger", help="The ledger of holds: what is held by whom, and whether it all adds up.")


@app.command
def show(site: str = "", *, reach: Reach = HERE, output: Output = "text") -> int:
    """Every live hold of a site: whose, what, from when until when."""
    with open_door(reach) as door:
        site = the_site(door, site)
        ledger, records = _books(door, site)
    live = sorted((r for r in records if r.counts), key=lambda r: (int(r.hold.start), r.name))
    if output == "json":
        say_as(
            "Holds", {"site": site, "generation": ledger.generation, "holds": [_row_json(record) for record in live]}
        )
        return exit_codes.YES
    say(f"Site {site}, generation {ledger.generation}: {counted(len(live), 'live hold')}")
    say_table(["holder", "phase", "cores", "memory", "start", "end", "group"], [_row(record) for record in live])
    return exit_codes.YES


@app.command
def check(site: str = "", *, reach: Reach = HERE, output: Output = "text") -> int:
    """Recount everything from the objects and, independently, from what really runs on this machine.

    Exits 0 when all agrees, 1 when anything does not. What the next commit or start completes, or what ends by itself,
    is told and is no error.
    """
    with open_door(reach) as door:
        site = the_site(door, site)
        ledger, records = _books(door, site)
        declared = door.client.get(Site, site)
        machines = [m for m in door.client.list(Machine).items if m.spec.site == site]
        profiles = {p.name: p for p in door.client.list(HardwareProfile).items}
        engines = [engine for engine in door.client.list(Engine).items if engine.spec.site == site]
    findings, runs = _recount(declared, ledger, records, machines, profiles, engines)
    errors = [finding for finding in findings if finding.severity == "error"]
    live = [record for record in records if record.counts]
    alive = sum(run.alive for run in runs)
    if output == "json":
        say_as(
            "Recount",
            {
                "site": site,
                "agrees": not errors,
                "generation": ledger.generation,
                "holds": len(live),
                "runs": alive,
                "findings": [finding.to_json() for finding in findings],
            },
        )
    else:
        tell(ledger, live, alive, findings, simulated=_is_simulated(engines))
    return exit_codes.NO if errors else exit_codes.YES


def _recount(
    site: Site,
    ledger: LedgerStatus,
    records: list[Record],
    machines: list[Machine],
    profiles: dict[str, HardwareProfile],
    engines: Sequence[Engine],
) -> tuple[list[Finding], list[RunFact]]:
    """The findings, and the runs that they were found against."""
    runs = simulated_facts() if _is_simulated(engines) else run_facts(machines, profiles)
    capacities = [capacity_of(machine, profiles) for machine in machines]
    same = second_names(engines, machines)
    limits = limits_of(site, [machine for machine in machines if machine.name not in same], profiles)
    return recount(ledger, records, capacities, runs, SystemClock().now_ms(), limits, same), runs


def _is_simulated(engines: Sequence[Engine]) -> bool:
    return [engine.spec.type for engine in engines] == ["simulated"]


def offline_findings(home: Path) -> list[Finding]:
    """The recount of every site of a home whose control plane does not run, from its store itself."""
    from tenure.cli.stored import opened

    with opened(home) as store:
        sites, machines = _all(store, Site), _all(store, Machine)
        profiles = {profile.name: profile for profile in _all(store, HardwareProfile)}
        records = [*map(record_of_offer, _all(store, Offer)), *map(record_of_contract, _all(store, Contract))]
        engines = _all(store, Engine)
    findings: list[Finding] = []
    for site in sites:
        findings += _recount(
            site,
            (site.status or SiteStatus()).ledger,
            [record for record in records if record.hold.site == site.name],
            [machine for machine in machines if machine.spec.site == site.name],
            profiles,
            [engine for engine in engines if engine.spec.site == site.name],
        )[0]
    return findings


def _all(store: "Store", model: type[T]) -> list[T]:
    """Every object of a kind, straight from the store."""
    from tenure.cli.stored import stored

    return [decode(model, content) for content in stored(store, model)]


def tell(
    ledger: LedgerStatus, live: list[Record], alive: int, findings: list[Finding], *, simulated: bool = False
) -> None:
    """Print the recount. Of what is simulated no engine and no kernel was asked, and none is claimed."""
    held, running = counted(len(live), "live hold"), counted(alive, "run")
    whence = "recorded; it is simulated, nothing runs" if simulated else "found by the engine"
    say(f"Generation {ledger.generation}: {held}, {running} {whence}")
    for finding in findings:
        mark = "✗" if finding.severity == "error" else "·"
        say(f"  {mark} {finding.code} {finding.subject}: {finding.message}")
    if not any(finding.severity == "error" for finding in findings):
        say_that_it_agrees(simulated=simulated)


def say_that_it_agrees(*, simulated: bool) -> None:
    """Print what a recount without an error means: of what is simulated nothing runs."""
    last = "each record is of something held" if simulated else "what runs is what is held"
    say(f"  ✓ no core, byte or device is held twice, no budget is overbooked, and {last}")


def _books(door: Door, site: str) -> tuple[LedgerStatus, list[Record]]:
    found = door.client.get(Site, site)
    offers = door.client.list(Offer).items
    contracts = door.client.list(Contract).items
    records = [*map(record_of_offer, offers), *map(record_of_contract, contracts)]
    return (found.status or SiteStatus()).ledger, [r for r in records if r.hold.site == site]


def the_site(door: Door, named: str) -> str:
    """The site that is meant: the one named, or the only one that there is."""
    if named:
        return named
    sites = [site.name for site in door.client.list(Site).items]
    if not sites:
        raise not_found("there is no site yet", "`tenure up` makes that of this machine")
    if len(sites) != 1:
        raise usage(f"there are {len(sites)} sites", f"name one: {', '.join(sites)}")
    return sites[0]


def simulated_facts() -> list[RunFact]:
    """What the simulated engine has recorded; nothing runs, so no kernel can be asked."""
    from tenure.engines import SimulatedEngine
    from tenure.engines.simulated import FOLDER

    if not (home_directory() / FOLDER).is_dir():
        return []  # a fleet elsewhere was asked; nothing is put where no home is
    states = SimulatedEngine(home_directory()).runs()
    return [RunFact(state.run_id, frozenset(), None, alive=True) for state in states if not state.final]


def run_facts(machines: list[Machine], profiles: dict[str, HardwareProfile]) -> list[RunFact]:
    """What the local engine finds running, read from the kernel, with cores instead of logical CPUs."""
    from tenure.engines import EngineFailure, LocalEngine, RunUnreadable
    from tenure.topology import machine_from_json

    if not machines:
        return []
    topology = machine_from_json(profiles[machines[0].spec.profile].spec.topology)
    engine = LocalEngine(home_directory())
    facts = []
    for state in engine.runs():
        if state.final:
            continue
        # One trial's hold carries several runs in turn, named HOLD.NUMBER.
        run_id = state.run_id.partition(".")[0]
        try:
            read = engine.read_back(state.run_id)
        except RunUnreadable:  # its record is damaged; its processes are seen all the same
            facts.append(RunFact(run_id, frozenset(), None, alive=bool(state.processes)))
            continue
        except EngineFailure:
            continue  # it ended between the two looks
        cores = {core.id for cpu in read.cpus_allowed if (core := topology.core_of_cpu(cpu)) is not None}
        limit = read.memory_limit_bytes.value
        facts.append(RunFact(run_id, frozenset(cores), limit if isinstance(limit, int) else None, alive=True))
    return facts


def _row(record: Record) -> list[Any]:
    claim = record.hold.claims[0]
    held_back = [core for spare in record.hold.reserve for core in spare.cores]
    more = len(record.hold.in_use) - 1
    return [
        f"{record.kind.lower()}/{record.namespace}/{record.name}",
        record.phase,
        ",".join(map(str, claim.cores))
        + (f" on {claim.machine}, {more} more" if more else "")
        + (f" + {','.join(map(str, held_back))} in reserve" if held_back else ""),
        Bytes(int(claim.memory)),
        format_instant(int(record.hold.start)),
        format_instant(int(record.hold.end)),
        record.hold.group[:8],
    ]


def _row_json(record: Record) -> dict[str, Any]:
    return {
        "kind": record.kind,
        "namespace": record.namespace,
        "name": record.name,
        "phase": record.phase,
        "hold": record.hold.to_json(),
    }
