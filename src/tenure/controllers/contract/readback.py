"""Reading back: what the kernel says of the run, beside what the contract holds. Pure."""

from collections.abc import Iterable, Sequence

from tenure.controllers.serving import Place, place_of
from tenure.engines import ReadBack, Reading
from tenure.engines.simulated import MECHANISM as SIMULATED
from tenure.engines.simulated import NOTHING_RUNS
from tenure.quantities import Bytes
from tenure.resources.kinds.allocation import Claim
from tenure.resources.kinds.standing import ReadBackFact
from tenure.topology import MachineTopology, format_cpu_list

MEMORY_LIMIT_TOLERANCE = 4096
"""Kernels round a limit down to whole pages."""
NOBODY = "none"
"""Found where no process was there to be read."""
UNREAD = "not readable"
"""What was found of a limit that is set here and that the kernel would not show begins with this."""
MEMORY, MEMORY_NODES = "memory", "memoryNodes"


def compare(read: ReadBack, claim: Claim, topology: MachineTopology) -> list[ReadBackFact]:
    """One fact a limit. A limit that this system cannot enforce is told as such; nothing else was promised. One that it
    enforces and that could not be read agrees with nothing."""
    if read.mechanism == SIMULATED:
        return [ReadBackFact(what="run", expected="a record", found="a record", source=NOTHING_RUNS, agrees=True)]
    place = place_of(claim, topology, ())
    wanted = frozenset(place.cpus)
    threads = f"/proc/PID/task/*/status of {len(read.threads)} threads"
    cpus = ReadBackFact(
        what="cpus",
        expected=format_cpu_list(sorted(wanted)),
        found=_list_text(read.cpus_allowed),
        source=threads,
        agrees=bool(read.cpus_allowed) and read.cpus_allowed <= wanted,
    )
    return [cpus, _memory(read.memory_limit_bytes, claim), *_memory_nodes(read, place, threads)]


def seen(facts: Sequence[ReadBackFact]) -> list[ReadBackFact]:
    """What may be judged of a run in service. Where a limit could not be read, only what differs is: the rest does not
    make up for it, and not to see is no breach."""
    told = [fact for fact in facts if not _unread(fact)]
    return told if len(told) == len(facts) or not all(fact.agrees for fact in told) else []


def unread(facts: Sequence[ReadBackFact]) -> ReadBackFact | None:
    """The first limit that could not be read."""
    return next(filter(_unread, facts), None)


def _unread(fact: ReadBackFact) -> bool:
    return not fact.agrees and fact.found.startswith(UNREAD)


def _memory(limit: Reading, claim: Claim) -> ReadBackFact:
    if isinstance(limit.value, int):
        found, agrees = str(Bytes(limit.value)), 0 <= int(claim.memory) - limit.value <= MEMORY_LIMIT_TOLERANCE
    elif limit.value is not None:
        found, agrees = "no limit", False
    elif limit.granted:
        found, agrees = f"{UNREAD}: {limit.why.removeprefix(f'{UNREAD}: ')}", False
    else:
        found, agrees = f"not enforced here: {limit.why}", True
    return ReadBackFact(what=MEMORY, expected=str(claim.memory), found=found, source=limit.source, agrees=agrees)


def _memory_nodes(read: ReadBack, place: Place, source: str) -> list[ReadBackFact]:
    """Where it is bound to some of several: all of them, since a node that is missing is memory that cannot be had."""
    wanted, group = frozenset(place.memory_nodes), read.group_memory_nodes
    if not wanted:
        return []
    if group.granted:
        found, agrees = _list_text(read.memory_nodes_allowed), read.memory_nodes_allowed == wanted
    else:
        found, source, agrees = f"not enforced here: {group.why}", group.source, True
    expected = format_cpu_list(sorted(wanted))
    return [ReadBackFact(what=MEMORY_NODES, expected=expected, found=found, source=source, agrees=agrees)]


def _list_text(ids: Iterable[int]) -> str:
    return format_cpu_list(sorted(ids)) or NOBODY
