"""Inside one machine: an exact search for one member over whole cores, caches, memory, NUMA distance and devices.

Exact means: where a claim exists under the rules below, one is found. The rules: cores are whole; memory lies on one
NUMA node or in equal parts on several; a member's devices are distinct; required levels and the greatest NUMA distance
hold between everything the member takes. Which claim is found follows a fixed preference: fewest NUMA nodes, devices
nearest, shortest distance, fewest caches and switches, and what is left stays in large blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.device_choice import device_choices
from tenure.placement.fleet import FleetMachine
from tenure.placement.holds import Claim, DeviceClaim, equal_parts

NODES_SEARCHED_WHOLE = 10
"""Up to so many NUMA nodes every subset is tried (1,023); beyond it single nodes, pairs, balls by distance and all."""

Key = tuple[int, ...]


def place_inside(free: Free, role: Role) -> Claim | None:
    """The preferred claim of one member on what is free, or None where no claim exists."""
    for claims in _by_size(free, role):
        if claims:
            return min(claims, key=lambda pair: pair[0])[1]
    return None


def claims_inside(free: Free, role: Role) -> Iterator[Claim]:
    """All claims of one member up to alike cores and alike devices, those on fewest nodes first.

    The search over several members uses them as alternatives when the preferred claims do not fit together.
    """
    seen: set[Claim] = set()
    for claims in _by_size(free, role, every=True):
        for _, claim in sorted(claims, key=lambda pair: pair[0]):
            if claim not in seen:
                seen.add(claim)
                yield claim


def _by_size(free: Free, role: Role, *, every: bool = False) -> Iterator[list[tuple[Key, Claim]]]:
    machine = free.machine
    nodes = machine.numa_nodes or (0,)
    if "l3" in role.requires and max(map(len, _known_blocks(free, nodes).values()), default=0) < role.cores:
        return  # which is the same for any nodes and devices
    largest = 1 if "numa" in role.requires else len(nodes)
    for size in range(1, largest + 1):
        found: list[tuple[Key, Claim]] = []
        for subset in _subsets(machine, nodes, size):
            spread = _diameter(machine, subset)
            if role.numa_distance_max is not None and spread > role.numa_distance_max:
                continue
            found.extend(_within(free, role, subset, spread, every=every))
        yield found


def _within(free: Free, role: Role, nodes: tuple[int, ...], spread: int, *, every: bool) -> Iterator[tuple[Key, Claim]]:
    """Claims with cores and memory on exactly these nodes; devices too, where that is required."""
    near_only = "numa" in role.requires or role.numa_distance_max is not None
    for devices in device_choices(free, role, nodes, near_only=near_only):
        for cores, caches in _core_choices(free, role, nodes, every=every):
            for memory_nodes in _memory_choices(free, role.memory_bytes, nodes, cores, every=every):
                key = (
                    devices.away,
                    spread,
                    len(caches),
                    devices.switches,
                    _idle_devices_beside(free, role, nodes),
                    _left_in_blocks(free, caches),
                    sum(1 for core in free.cores if free.machine.core_index[core].numa_node in nodes),
                    *nodes,
                    *cores,
                )
                claim = Claim(
                    machine=free.machine.name,
                    cores=cores,
                    memory_bytes=role.memory_bytes,
                    memory_nodes=memory_nodes,
                    devices=tuple(DeviceClaim(name, milli) for name, milli in devices.taken),
                    role=role.name,
                    draws=role.draws,
                )
                yield key, claim
        if not every:
            return


def _subsets(machine: FleetMachine, nodes: tuple[int, ...], size: int) -> Iterator[tuple[int, ...]]:
    if len(nodes) <= NODES_SEARCHED_WHOLE or size <= 2 or size == len(nodes):
        yield from combinations(nodes, size)
        return
    yield from sorted({_ball(machine, centre, size) for centre in nodes})


def _ball(machine: FleetMachine, centre: int, size: int) -> tuple[int, ...]:
    """The nodes nearest to one, itself included."""
    return tuple(sorted(sorted(machine.numa_nodes, key=lambda node: (machine.distance(centre, node), node))[:size]))


def _diameter(machine: FleetMachine, nodes: Sequence[int]) -> int:
    """The greatest distance between two of the nodes, either way round."""
    return max((machine.distance(a, b) for a in nodes for b in nodes), default=0)


def _blocks(free: Free, nodes: Sequence[int]) -> dict[int, list[int]]:
    """Free cores by last-level cache, on these nodes only."""
    blocks: dict[int, list[int]] = {}
    for core in sorted(free.cores):
        facts = free.machine.core_index[core]
        if facts.numa_node in nodes:
            blocks.setdefault(facts.l3, []).append(core)
    return blocks


def _known_blocks(free: Free, nodes: Sequence[int]) -> dict[int, list[int]]:
    """Those of which somebody said that their cores share a cache."""
    return {cache: cores for cache, cores in _blocks(free, nodes).items() if cache >= 0}


def _core_choices(
    free: Free, role: Role, nodes: tuple[int, ...], *, every: bool
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(cores, caches they lie under). Cores of one cache are alike, so only how many come from each matters."""
    if role.cores == 0:
        yield (), ()
        return
    blocks = _known_blocks(free, nodes) if "l3" in role.requires else _blocks(free, nodes)
    if every:
        yield from _all_core_choices(blocks, role.cores, one_cache="l3" in role.requires)
        return
    fitting = sorted((len(cores), cache) for cache, cores in blocks.items() if len(cores) >= role.cores)
    if fitting:
        cache = fitting[0][1]
        yield tuple(blocks[cache][: role.cores]), (cache,)
    elif "l3" not in role.requires and sum(len(cores) for cores in blocks.values()) >= role.cores:
        yield _fewest_caches(blocks, role.cores)


def _all_core_choices(
    blocks: Mapping[int, list[int]], wanted: int, *, one_cache: bool
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Every split of the wanted cores over caches, fewest caches first."""
    caches = sorted(blocks)
    for size in range(1, 2 if one_cache else len(caches) + 1):
        for chosen in combinations(caches, size):
            for counts in _splits(wanted, [len(blocks[cache]) for cache in chosen]):
                cores = [core for cache, count in zip(chosen, counts, strict=True) for core in blocks[cache][:count]]
                yield tuple(sorted(cores)), chosen


def _splits(wanted: int, limits: list[int]) -> Iterator[list[int]]:
    """Ways to take ``wanted`` from all of these, at least one and at most the limit from each."""
    if len(limits) == 1:
        if 1 <= wanted <= limits[0]:
            yield [wanted]
        return
    for first in range(min(limits[0], wanted - len(limits) + 1), 0, -1):
        for rest in _splits(wanted - first, limits[1:]):
            yield [first, *rest]


def _fewest_caches(blocks: Mapping[int, list[int]], wanted: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Take whole caches from the largest down, then the smallest that carries the rest: the fewest caches there are."""
    left = sorted(blocks.items(), key=lambda item: (-len(item[1]), item[0]))
    cores: list[int] = []
    caches: list[int] = []
    while wanted > 0:
        fitting = [item for item in left if len(item[1]) >= wanted]
        cache, block = min(fitting, key=lambda item: (len(item[1]), item[0])) if fitting else left[0]
        left.remove((cache, block))
        cores.extend(block[:wanted])
        caches.append(cache)
        wanted -= len(block[:wanted])
    return tuple(sorted(cores)), tuple(sorted(caches))


def _memory_choices(
    free: Free, wanted: int, nodes: tuple[int, ...], cores: tuple[int, ...], *, every: bool
) -> Iterator[tuple[int, ...]]:
    """Node sets that carry the bytes in equal parts: beside the cores first, then all, then the emptiest few."""
    beside = tuple(sorted({free.machine.core_index[core].numa_node for core in cores}))
    if wanted == 0:
        yield beside or nodes
        return
    emptiest = sorted(nodes, key=lambda node: (-free.memory.get(node, 0), node))
    if every:
        candidates = [part for size in range(1, len(nodes) + 1) for part in combinations(nodes, size)]
    else:
        candidates = [beside, nodes, *(tuple(sorted(emptiest[:size])) for size in range(1, len(nodes) + 1))]
    given: set[tuple[int, ...]] = set()
    for chosen in candidates:
        if not chosen or chosen in given:
            continue
        if all(free.memory.get(node, 0) >= part for node, part in equal_parts(wanted, chosen).items()):
            given.add(chosen)
            yield chosen
            if not every:
                return


def _idle_devices_beside(free: Free, role: Role, nodes: tuple[int, ...]) -> int:
    """Free devices on these nodes that a member without devices would strand."""
    if role.devices:
        return 0
    index = free.machine.device_index
    return sum(1 for name, left in free.devices.items() if left > 0 and index[name].numa_node in nodes)


def _left_in_blocks(free: Free, caches: tuple[int, ...]) -> int:
    """Free cores under the caches that a choice breaks: the fewer, the larger the blocks that stay whole."""
    return sum(1 for core in free.cores if free.machine.core_index[core].l3 in caches)
