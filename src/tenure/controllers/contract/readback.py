"""Reading back: what the kernel says of the run, beside what the contract holds. Pure."""

from tenure.engines import ReadBack
from tenure.engines.simulated import MECHANISM as SIMULATED
from tenure.engines.simulated import NOTHING_RUNS
from tenure.quantities import Bytes
from tenure.resources.kinds.allocation import Claim
from tenure.resources.kinds.contract import ReadBackFact
from tenure.topology import MachineTopology, format_cpu_list

MEMORY_LIMIT_TOLERANCE = 4096
"""Kernels round a limit down to whole pages."""
NOBODY = "none"
"""Found where no process was there to be read."""


def compare(read: ReadBack, claim: Claim, topology: MachineTopology) -> list[ReadBackFact]:
    """One fact a limit. A limit that this system cannot enforce is told as such; nothing else was promised."""
    if read.mechanism == SIMULATED:
        return [ReadBackFact(what="run", expected="a record", found="a record", source=NOTHING_RUNS, agrees=True)]
    wanted = frozenset(topology.cpus_of(claim.cores))
    found = read.cpus_allowed
    facts = [
        ReadBackFact(
            what="cpus",
            expected=format_cpu_list(sorted(wanted)),
            found=format_cpu_list(sorted(found)) if found else NOBODY,
            source=f"/proc/PID/task/*/status of {len(read.threads)} threads",
            agrees=bool(found) and found <= wanted,
        )
    ]
    limit = read.memory_limit_bytes
    if isinstance(limit.value, int):
        facts.append(
            ReadBackFact(
                what="memory",
                expected=str(claim.memory),
                found=str(Bytes(limit.value)),
                source=limit.source,
                agrees=0 <= int(claim.memory) - limit.value <= MEMORY_LIMIT_TOLERANCE,
            )
        )
    else:
        facts.append(
            ReadBackFact(
                what="memory",
                expected=str(claim.memory),
                found="no limit" if limit.value is not None else f"not enforced here: {limit.why}",
                source=limit.source,
                agrees=limit.value is None,
            )
        )
    return facts
