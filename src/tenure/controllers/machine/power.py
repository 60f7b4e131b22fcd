"""A machine's watts, as declared and read, divided over its GPUs and cores. Pure; what is not known stays unknown.

Budgets charge by part, so that half a machine draws half of it: a full machine draws the figure that was given for it.
"""

from dataclasses import dataclass

from tenure.placement import PowerFacts
from tenure.quantities import Power
from tenure.resources import Machine
from tenure.topology import MachineTopology, known, listed

SIMULATED = "simulated"
"""What the status of a machine that exists only in a fleet's file says that it is (`virtual`)."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What one GPU and one core draw."""

    device: PowerFacts
    core: PowerFacts


def power_parts(machine: Machine, topology: MachineTopology) -> Parts:
    """The parts of one machine by each figure that is known of it.

    A cap of the machine binds only once all of it works. Half of its GPUs may still draw their own limit each, and are
    charged that; the cores share what the cap leaves. A measured figure is divided like the rated one.
    """
    spec, status = machine.spec, machine.status
    gpus, own, limit = len(listed(topology.gpus)), gpu_rated_mw(topology), _mw(spec.gpu_capped_power)
    if status is not None and status.gpu_capped_power is not None:
        limit = int(status.gpu_capped_power)
    rated, capped, measured = _mw(spec.rated_power), _mw(spec.capped_power), _mw(spec.measured_power)
    device_rated, core_rated = _divided(topology, own, rated)
    each = own if limit is None else limit
    device_capped, core_capped = limit, None
    if capped is not None:
        whole, core_capped = _divided(topology, each, capped)
        device_capped = whole if each is None else limit
    elif limit is not None and own is None:
        _, core_capped = _divided(topology, limit, rated)
    device_measured, core_measured = None, None
    if measured is not None:
        carried = each is None or each * gpus > measured  # by the GPUs alone
        device_measured, core_measured = _divided(topology, None if carried else each, measured)
        device_measured = device_measured if carried else None
    return Parts(
        device=PowerFacts(device_rated, device_capped, device_measured),
        core=PowerFacts(core_rated, core_capped, core_measured),
    )


def is_rated(machine: Machine) -> bool:
    """Whether it is known what each of its parts is rated at: the machine's own figure is divided over all of them.

    Inside a virtual machine nobody knows what that comes to; one that is simulated is what its file says.
    """
    virtual = machine.status.virtual if machine.status else None
    return machine.spec.rated_power is not None and virtual in (None, "", SIMULATED)


def gpu_rated_mw(topology: MachineTopology) -> int | None:
    """What a GPU of the machine is rated at, in mW; the greatest where they differ, unknown where one's is."""
    own = [
        known(gpu.power_max_mw) if known(gpu.power_max_mw) is not None else known(gpu.power_default_mw)
        for gpu in listed(topology.gpus)
    ]
    figures = [figure for figure in own if figure is not None]
    return max(figures) if figures and len(figures) == len(own) else None


def _divided(topology: MachineTopology, device_mw: int | None, whole_mw: int | None) -> tuple[int | None, int | None]:
    """(a GPU's, a core's) part of a machine's figure in mW, so that a full machine draws exactly that.

    Where the GPUs' own figure is known the cores share the rest; where it is not, the GPUs carry it all.
    """
    gpus, cores = len(listed(topology.gpus)), len(topology.cores)
    if gpus and device_mw is not None:
        if whole_mw is None:
            return device_mw, None
        return device_mw, -(-max(0, whole_mw - device_mw * gpus) // max(1, cores))
    if whole_mw is None:
        return None, None
    return (-(-whole_mw // gpus), 0) if gpus else (None, -(-whole_mw // max(1, cores)))


def _mw(power: Power | None) -> int | None:
    return None if power is None else int(power)
