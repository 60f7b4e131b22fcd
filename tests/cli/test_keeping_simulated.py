"""A simulated fleet from a backup: what was contracted is in service again, wherever it is put back."""

import asyncio
import shutil
from pathlib import Path

from tenure.cli.home_parts import SIMULATED
from tenure.cli.simulated_records import settle_records
from tenure.client import AsyncClient
from tenure.controllers.contract.reconcile import ContractReconciler
from tenure.controllers.kernel import Key
from tenure.engines import RunSpec, SimulatedEngine
from tenure.engines.simulated import ARGV
from tenure.resources import Contract, Event
from tests.cli.host import Shell
from tests.controllers.planes import command, plane_on

ACTIVE_SECONDS_MAX = 20


async def contract_of(user: AsyncClient, phase: str) -> Contract:
    """The only contract, once it is in this phase."""
    async with asyncio.timeout(ACTIVE_SECONDS_MAX):
        while True:
            for contract in (await user.list(Contract)).items:
                if contract.status and contract.status.phase == phase:
                    return contract
            await asyncio.sleep(0.01)


async def one_in_service(home: Path) -> Contract:
    """A home whose control plane was stopped after it had put one contract in service."""
    async with plane_on(home, running=True) as (_, user):
        await user.create(command("need", acceptance="auto"))
        contract = await contract_of(user, "Active")
        (home / "fleet").mkdir()
        (home / "fleet" / "fleet.csv").touch()
        assert Shell(home)("backup", home.parent / "backup").code == 0
    return contract


async def is_still_in_service(home: Path) -> None:
    """A control plane that starts over this home looks at the contract and leaves it in service."""
    async with plane_on(home) as (plane, user):
        (there,) = (await user.list(Contract)).items
        await ContractReconciler(plane).reconcile(Key("default", there.name))
        (there,) = (await user.list(Contract)).items
        assert there.status is not None
        assert (there.status.phase, there.status.ended_because) == ("Active", None)
        assert [event.reason for event in (await user.list(Event)).items if event.reason == "Lost"] == []
        assert [run.final for run in plane.engine.runs()] == [False]


async def test_what_was_in_service_is_again_in_this_place_and_in_another(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    await one_in_service(home)
    before = {path.name: path.read_bytes() for path in (home / SIMULATED).iterdir()}
    shutil.rmtree(home)
    for place in (home, other):
        said = Shell(place)("restore", tmp_path / "backup")
        assert said.code == 0, said.out + said.err
        assert {path.name: path.read_bytes() for path in (place / SIMULATED).iterdir()} == before
    await is_still_in_service(other)


def without_a_record(engine: SimulatedEngine, run_id: str) -> None:
    """As a backup of an older version is, or one of a moment later than its objects."""
    engine.stop(run_id)
    engine.forget(run_id)


def damaged(engine: SimulatedEngine, run_id: str) -> None:
    (record,) = engine._folder.glob(f"{run_id}*")
    record.write_text("{")


def stopped(engine: SimulatedEngine, run_id: str) -> None:
    """After its contract was copied as one in service."""
    engine.stop(run_id)


async def test_records_that_the_objects_contradict_are_made_to_say_what_they_say(tmp_path: Path) -> None:
    contract = await one_in_service(tmp_path / "home")
    engine = SimulatedEngine(tmp_path / "home")
    for change in (without_a_record, damaged, stopped):
        change(engine, contract.spec.hold.id)
        engine.start(RunSpec(run_id="unknown", namespace="default", name="later", argv=ARGV))
        settle_records(tmp_path / "home")
        assert [(run.run_id, run.final) for run in engine.runs()] == [(contract.spec.hold.id, False)], change.__name__
