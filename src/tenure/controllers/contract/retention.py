"""Retention: windows, journals and logs are kept for as long as the contract says, and then they go.

The evidence log is not touched: what was stated, and what it rests on, stays. A run's folder is marked once its
contract is over, so that it goes in time though the Contract itself may be long deleted.
"""

import asyncio
import json
import shutil
from contextlib import suppress
from pathlib import Path

from tenure.controllers.plane import Plane
from tenure.measurement.store import MeasurementStore
from tenure.resources import Contract

MARK_FILE = "retained.json"
SWEEP_SECONDS = 3_600.0


def keep_in_time(folder: Path, contract: Contract, now_ms: int) -> None:
    """Mark the folder of an ended contract with the time until which it is kept. Said once, it stays."""
    retention = contract.spec.promises.retention
    mark = folder / MARK_FILE
    if retention is None or not folder.is_dir() or mark.exists():
        return
    aside = mark.with_suffix(".partial")
    aside.write_text(json.dumps({"contract": contract.uid, "untilMs": now_ms + retention.ms}))
    aside.replace(mark)


async def sweep(plane: Plane) -> int:
    """Remove what is beyond its retention; returns how many windows and folders went."""
    now_ms = plane.clock.now_ms()
    gone = 0
    for contract in (await plane.client.list(Contract)).items:
        retention = contract.spec.promises.retention
        if retention is not None:
            gone += await asyncio.to_thread(plane.known.retire, contract.uid, now_ms - retention.ms)
    return gone + await asyncio.to_thread(sweep_folders, plane.home / "runs", plane.known, now_ms)


async def keep_sweeping(plane: Plane) -> None:
    """Sweep at the start and then every hour, until cancelled. What cannot be removed now is tried again."""
    while True:
        with suppress(OSError):
            await sweep(plane)
        await asyncio.sleep(SWEEP_SECONDS)


def sweep_folders(runs: Path, known: MeasurementStore, now_ms: int) -> int:
    """Remove the folders whose time is over, and the windows of their contracts; returns how many of both went."""
    gone = 0
    for mark in runs.glob(f"*/{MARK_FILE}"):
        contract, until_ms = _read(mark)
        if now_ms >= until_ms:
            gone += known.retire(contract, now_ms) + 1
            shutil.rmtree(mark.parent)
    return gone


def _read(mark: Path) -> tuple[str, int]:
    document = json.loads(mark.read_text())
    return str(document["contract"]), int(document["untilMs"])
