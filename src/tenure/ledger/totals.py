"""What a site has to sell and what of it is held, for people: kept from one commit to the next and written with it.

Only holds that came or went since are counted anew, so that a commit beside thousands of them stays as cheap.
"""

from collections import Counter
from typing import TypeVar

from tenure.ledger.records import View
from tenure.placement import Device, Fleet
from tenure.resources.kinds.allocation import Hold

GPU = "gpu"
Part = TypeVar("Part")


class Totals:
    """Cores and GPUs of one site. What several hold, as alternatives or one after the other, is held once."""

    def __init__(self) -> None:
        self._fleet: Fleet | None = None
        self._sold = {"cores": 0, "gpus": 0}
        self._holds: dict[str, Hold] = {}
        self._cores: Counter[tuple[str, int]] = Counter()
        self._gpus: Counter[tuple[str, str]] = Counter()

    def of(self, fleet: Fleet, view: View) -> dict[str, int]:
        """The fields of a Site's status that say it."""
        if fleet is not self._fleet:
            self._fleet, self._sold = fleet, _sold(fleet)
            self._holds, self._cores, self._gpus = {}, Counter(), Counter()  # what is sold may have changed
        for uid in self._holds.keys() - view.records.keys():
            self._count(fleet, self._holds.pop(uid), -1)
        for uid, record in view.records.items():
            before = self._holds.get(uid)
            if before is not record.hold:
                if before is not None:
                    self._count(fleet, before, -1)
                self._count(fleet, record.hold, 1)
                self._holds[uid] = record.hold
        return {**self._sold, "cores_held": len(self._cores), "gpus_held": len(self._gpus)}

    def _count(self, fleet: Fleet, hold: Hold, by: int) -> None:
        """What it holds of what is sold: a contract keeps its hold on cores kept back since, GPUs that failed and
        machines that are gone, and more would be held than there is."""
        for claim in hold.claims:
            machine = fleet.index.get(claim.machine)
            if machine is None:
                continue
            for core in machine.sellable_cores().intersection(claim.cores):
                _add(self._cores, (claim.machine, core), by)
            for device in claim.devices:
                known = machine.device_index.get(device.id)
                if known is not None and _is_sold(known):
                    _add(self._gpus, (claim.machine, device.id), by)


def _add(counter: Counter[Part], part: Part, by: int) -> None:
    counter[part] += by
    if not counter[part]:
        del counter[part]


def _sold(fleet: Fleet) -> dict[str, int]:
    """What its machines have for sale, those that take nothing new among them: what they hold is part of it."""
    devices = (device for machine in fleet.machines for device in machine.devices)
    return {
        "cores": sum(len(machine.sellable_cores()) for machine in fleet.machines),
        "gpus": sum(map(_is_sold, devices)),
    }


def _is_sold(device: Device) -> bool:
    """Whether it counts among the GPUs for sale."""
    return device.device_class == GPU and device.healthy
