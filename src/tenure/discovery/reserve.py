"""What the system keeps for itself by default, so that it is never sold. Operators override it in the Machine. Pure."""

from __future__ import annotations

from collections.abc import Callable

from tenure.topology import ObservedMachine, SystemReserve, known_or

CORES_PER_RESERVED_CORE = 32
MEMORY_BYTES_MIN = 1 << 30
MEMORY_SHARE = 0.05

ReserveRule = Callable[[ObservedMachine], SystemReserve]


def reserved_for_system(machine: ObservedMachine) -> SystemReserve:
    """The default rule: one core in 32, the lowest-numbered first, and 1 GiB or 5 % of memory, whichever is more.

    Interrupts, the kernel's own threads and Tenure run there. A machine with one core keeps none, for then nothing
    could be sold; its neighbours share that core with the system, which a trial measures as it is. The memory kept
    never exceeds half of what there is. The figures are a choice, not a measurement.
    """
    cores = machine.allowed_cores()
    count = 0 if len(cores) < 2 else max(1, len(cores) // CORES_PER_RESERVED_CORE)
    # The nodes' sum leaves out what belongs to GPUs, which MemTotal counts in.
    total = known_or(machine.topology.memory_bytes, 0) or known_or(machine.memory_total_bytes, 0)
    memory = min(max(MEMORY_BYTES_MIN, int(total * MEMORY_SHARE)), total // 2)
    return SystemReserve(
        cores=tuple(sorted(cores)[:count]),
        memory_bytes=memory,
        because=(
            "default: 1 core in 32, the lowest-numbered, and 1 GiB or 5 % of memory, whichever is more"
            if count
            else "default: a single core is shared with the system; 1 GiB or 5 % of memory, whichever is more"
        ),
    )
