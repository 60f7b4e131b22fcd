"""The logical CPUs of cores. A core is named by its lowest CPU; with SMT it has siblings, and a run gets them all."""

from collections.abc import Sequence

from tenure.client import Client, NotFound
from tenure.resources import Contract, HardwareProfile, Machine
from tenure.topology import machine_from_json


def held_cpus(client: Client, contract: Contract) -> tuple[int, ...]:
    """What the contract's run is pinned to on its machine, ascending."""
    claims = [claim for claim in contract.spec.hold.claims if claim.machine == contract.spec.machine]
    return cpus_on(client, contract.spec.machine, [core for claim in claims for core in claim.cores])


def cpus_on(client: Client, machine: str, cores: Sequence[int]) -> tuple[int, ...]:
    """All CPUs of some cores of a machine, as its profile has them; where that is gone, those that name the cores.

    So it is where the machine has another profile by now, which knows no such core.
    """
    try:
        profile = client.get(HardwareProfile, client.get(Machine, machine).spec.profile)
        return machine_from_json(profile.spec.topology).cpus_of(tuple(cores))
    except (NotFound, KeyError):
        return tuple(sorted(cores))
