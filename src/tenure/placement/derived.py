"""What follows from a fleet alone, reckoned once and kept with it: whole machines, kinds of equal ones, domains.

Machines of one kind share their facts' very tuples, as machines of one profile do. A fleet of ten thousand machines
has few kinds, and what is asked of a machine with nothing on it is asked once a kind.
"""

from __future__ import annotations

from collections import defaultdict
from zlib import crc32

from tenure.placement.calendar import Free
from tenure.placement.fleet import Fleet, FleetMachine

Domains = list[tuple[str, list[str]]]
"""(domain, names of its machines), in the order of site and domain."""


def whole(fleet: Fleet) -> dict[str, Free]:
    """Every machine with nothing on it, by name."""
    known: dict[str, Free] | None = fleet.memo.get("whole")
    if known is None:
        known = fleet.memo["whole"] = {machine.name: Free.whole(machine) for machine in fleet.machines}
    return known


def emptiness_of(free: Free) -> tuple[int, int, int]:
    """How much is left, devices first: the order in which machines are filled up."""
    return sum(free.devices.values()), len(free.cores), sum(free.memory.values())


def emptiness(fleet: Fleet) -> dict[str, tuple[int, int, int]]:
    """The same of every machine with nothing on it, by name."""
    known: dict[str, tuple[int, int, int]] | None = fleet.memo.get("emptiness")
    if known is None:
        known = fleet.memo["emptiness"] = {name: emptiness_of(free) for name, free in whole(fleet).items()}
    return known


def in_service(fleet: Fleet) -> list[FleetMachine]:
    """Machines that take something new. Not to be changed."""
    known: list[FleetMachine] | None = fleet.memo.get("in service")
    if known is None:
        known = fleet.memo["in service"] = [machine for machine in fleet.machines if machine.schedulable]
    return known


def kinds(fleet: Fleet) -> dict[str, int]:
    """A number for each machine, by name; equal numbers are equal hardware with equal reserves."""
    known: dict[str, int] | None = fleet.memo.get("kinds")
    if known is None:
        numbers: dict[tuple[object, ...], int] = {}
        known = fleet.memo["kinds"] = {
            m.name: numbers.setdefault(
                (id(m.cores), id(m.memory), id(m.devices), id(m.numa_distances), m.reserved_cores), len(numbers)
            )
            for m in fleet.machines
        }
    return known


def of_kind(fleet: Fleet) -> dict[int, Free]:
    """One whole machine of each kind, by its number."""
    known: dict[int, Free] | None = fleet.memo.get("of_kind")
    if known is None:
        by_name = kinds(fleet)
        known = fleet.memo["of_kind"] = {by_name[name]: free for name, free in whole(fleet).items()}
    return known


def stands(fleet: Fleet) -> dict[str, int]:
    """A number for each machine, by name; equal numbers are equal parts in one place, which draw alike of budgets."""
    known: dict[str, int] | None = fleet.memo.get("stands")
    if known is None:
        numbers: dict[tuple[object, ...], int] = {}
        known = fleet.memo["stands"] = {
            m.name: numbers.setdefault((m.site, m.place, id(m.devices), m.core_power), len(numbers))
            for m in fleet.machines
        }
    return known


def domains(fleet: Fleet, *levels: str) -> Domains:
    """Machines by their domain at a level, or at several levels at once. A machine that names none belongs to none;
    domains of different sites are different although they share a name."""
    if len(levels) == 1 and levels[0] != "machine":
        return _of_each_level(fleet).get(levels[0], [])
    key = f"domains:{levels}"
    known: Domains | None = fleet.memo.get(key)
    if known is None:
        groups: defaultdict[tuple[str | None, ...], list[str]] = defaultdict(list)
        columns = [_column(fleet, level) for level in ("site", *levels)]
        for machine, at in zip(fleet.machines, zip(*columns, strict=True), strict=True):
            groups[at].append(machine.name)
        whole = sorted((tuple(map(str, at)), names) for at, names in groups.items() if None not in at)
        known = fleet.memo[key] = [("+".join(at), names) for (_, *at), names in whole]
    return known


def _of_each_level(fleet: Fleet) -> dict[str, Domains]:
    """Machines by their domain at every level that any names, in one pass: it falls to the first question, which
    passes over all of them anyway."""
    known: dict[str, Domains] | None = fleet.memo.get("domains of each level")
    if known is None:
        groups: dict[str, dict[tuple[str, str], list[str]]] = {"site": {}}
        for machine in fleet.machines:
            name, site = machine.name, machine.site
            for level, domain in dict((*reversed(machine.place), ("site", site))).items():  # what is named first counts
                groups.setdefault(level, {}).setdefault((site, domain), []).append(name)
        known = {level: [(at[1], names) for at, names in sorted(found.items())] for level, found in groups.items()}
        fleet.memo["domains of each level"] = known
    return known


def _column(fleet: Fleet, level: str) -> list[str | None]:
    """The domain of every machine at a level, in the order of the fleet."""
    if level == "machine":
        return [machine.name for machine in fleet.machines]
    if level == "site":
        return [machine.site for machine in fleet.machines]
    column: list[str | None] = []
    for machine in fleet.machines:
        for at, name in machine.place:
            if at == level:
                column.append(name)
                break
        else:
            column.append(None)
    return column


def domains_of(fleet: Fleet, ways: tuple[tuple[str, ...], ...]) -> Domains:
    """The same by any of several ways, one after another; the very same list for the same ways."""
    key = f"domains of:{ways}"
    known: Domains | None = fleet.memo.get(key)
    if known is None:
        known = fleet.memo[key] = [one for way in ways for one in domains(fleet, *way)]
    return known


def places(domains: Domains) -> dict[str, list[int]]:
    """The numbers of the domains that each machine stands in, by name."""
    found: dict[str, list[int]] = {}
    for place, (_, names) in enumerate(domains):
        for name in names:
            found.setdefault(name, []).append(place)
    return found


def nests(fleet: Fleet, inner: str, outer: str) -> bool:
    """Whether every domain of one level lies whole in one domain of the other, so that who shares it shares both."""
    if inner == outer or outer == "site":
        return True
    key = f"nests:{inner}:{outer}"
    known: bool | None = fleet.memo.get(key)
    if known is None:
        around: dict[tuple[str, str], str | None] = {}
        known = fleet.memo[key] = all(
            (wider := machine.domain(outer)) is not None and around.setdefault((machine.site, domain), wider) == wider
            for machine in fleet.machines
            if (domain := machine.domain(inner)) is not None
        )
    return known


def rank(fleet: Fleet, seed: int) -> dict[str, int]:
    """An order of all machines for ties: by name, or shuffled by the seed when it is not zero."""
    known: dict[str, int] | None = fleet.memo.get(f"rank:{seed}")
    if known is None:
        names = sorted(fleet.index, key=lambda name: (crc32(f"{seed}:{name}".encode()) if seed else 0, name))
        known = fleet.memo[f"rank:{seed}"] = {name: place for place, name in enumerate(names)}
    return known
