"""Succession: a contract that renews or replaces another takes over its cores, its ports and its work.

Both belong to one Workload, so their holds share capacity in the ledger from the very commit of the acceptance: it is
never counted twice and never free in between. The processes of the first go before those of the second come. Whoever
dies between any two steps finds the second contract standing and the first Active, Ending or Ended, and goes on.
"""

import asyncio
import os
import shutil
from pathlib import Path

from tenure.client import NotFound
from tenure.controllers.contract.judging import run_folder
from tenure.controllers.contract.marks import set_phase
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition
from tenure.resources import Contract

WORK_FOLDER = "work"


async def predecessor_stands(plane: Plane, contract: Contract) -> bool:
    """Whether the contract before still has its processes. One that is replaced is told to end; a renewed one ends by
    its own term."""
    before = await _predecessor(plane, contract)
    if before is None or before.status is None or before.status.phase in ("Proposed", "Ended"):
        return False
    if contract.spec.replaces is not None and before.status.phase in ("Commissioning", "Active"):
        message = f"contract {contract.name} takes its place"
        said = condition("Ready", False, "Renegotiated", message, plane.clock)
        await set_phase(plane, before, "Ending", said, ended_because="Renegotiated")
        await record(plane.client, before, "Renegotiated", message, plane.clock)
    return True


async def carry_work(plane: Plane, contract: Contract) -> None:
    """Give work with an end of its own the working directory of the contract before, checkpoints and all.

    Once, and whole or not at all; nothing where the run has a working directory already. A server keeps none.
    """
    if plane.simulated or contract.spec.body.inference is not None:
        return
    before = await _predecessor(plane, contract)
    if before is not None:
        source, target = run_folder(plane, before) / WORK_FOLDER, run_folder(plane, contract) / WORK_FOLDER
        await asyncio.to_thread(copy_whole, source, target)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a folder so that a crash leaves all of it or none; what is there already stays."""
    if target.exists() or not source.is_dir():
        return
    aside = target.with_name(f"{target.name}.carried")
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(source, aside, symlinks=True)
    os.replace(aside, target)


async def _predecessor(plane: Plane, contract: Contract) -> Contract | None:
    name = contract.spec.replaces or contract.spec.renews
    if name is None:
        return None
    try:
        return await plane.client.get(Contract, name, namespace=contract.namespace)
    except NotFound:
        return None
