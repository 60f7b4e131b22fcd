"""What is declared of a machine counts where it is about capacity, and a machine that is gone is forgotten."""

from pathlib import Path

from tenure.controllers.in_use.reconcile import InUseReconciler
from tenure.controllers.kernel import Key
from tenure.controllers.machine.fleet import LEVEL_LABEL
from tenure.controllers.machine.reconcile import MachineReconciler
from tenure.resources import Event, Machine
from tests.controllers.planes import plane_on

M = Key("", "m")


async def test_an_edit_before_machines_are_first_watched_counts_and_says_what_it_is(tmp_path: Path) -> None:
    async with plane_on(tmp_path) as (plane, user):
        await user.patch(Machine, "m", {"metadata": {"labels": {"team": "x"}}})
        machines = MachineReconciler(plane)
        assert machines.keys(await user.get(Machine, "m")) == [], "whose it is is no capacity"
        await plane.allocator.look()
        await user.patch(Machine, "m", {"metadata": {"labels": {f"{LEVEL_LABEL}rack": "r-7"}}})
        machines = MachineReconciler(plane)  # nobody has told it of any machine yet
        assert machines.keys(await user.get(Machine, "m")) == [M]
        await machines.reconcile(M)
        (machine,) = (await plane.allocator.look()).fleet.machines
        assert ("rack", "r-7") in machine.place
        (said,) = [event for event in (await user.list(Event)).items if event.involved_object.name == "m"]
        assert said.reason == "Redeclared"
        assert machines.keys(await user.get(Machine, "m")) == []


async def test_a_machine_that_is_gone_is_forgotten_however_settled_it_was(tmp_path: Path) -> None:
    async with plane_on(tmp_path) as (plane, user):
        await user.patch(Machine, "m", {"spec": {"drain": True}})
        machines = MachineReconciler(plane)
        await machines.reconcile(M)
        await user.delete(Machine, "m")
        assert machines.keys(await user.get(Machine, "m")) == [M]
        await machines.reconcile(M)
        assert "m" in plane.machines, "what stands on it may still be asked about"
        await InUseReconciler(plane, Machine).reconcile(M)
        await machines.reconcile(M)
        assert "m" not in plane.machines
