"""Retention: windows, samples, journals and logs are kept for as long as the contract says, and then they go.

What was stated stays for good; that the samples behind it are given up is itself stated. A run's folder is marked
once its contract is over, so that all goes in time though the Contract itself may be long deleted.
"""

import asyncio
import json
import shutil
from contextlib import suppress
from pathlib import Path

from tenure.controllers.contract.stating import subject_of
from tenure.controllers.plane import Plane
from tenure.evidence import EvidenceLog, NotWrittenError, Subject, contract_source
from tenure.measurement.store import MeasurementStore
from tenure.resources import Contract

MARK_FILE = "retained.json"
SWEEP_SECONDS = 3_600.0
DAY_MS = 86_400_000


def keep_in_time(folder: Path, contract: Contract, now_ms: int) -> None:
    """Mark the folder of an ended contract with the time until which it is kept. Said once, it stays."""
    retention = contract.spec.promises.retention
    mark = folder / MARK_FILE
    if retention is None or not folder.is_dir() or mark.exists():
        return
    aside = mark.with_suffix(".partial")
    subject = subject_of(contract)
    said = {"name": subject.name, "sha256": subject.sha256}
    aside.write_text(
        json.dumps({"contract": contract.uid, "subject": said, "endedMs": now_ms, "untilMs": now_ms + retention.ms})
    )
    aside.replace(mark)


async def sweep(plane: Plane) -> int:
    """Remove what is beyond its retention; returns how many windows and folders went."""
    now_ms = plane.clock.now_ms()
    gone = 0
    for contract in (await plane.client.list(Contract)).items:
        retention = contract.spec.promises.retention
        if retention is not None:
            gone += await asyncio.to_thread(plane.known.retire, contract.uid, now_ms - retention.ms)
            await asyncio.to_thread(retire_evidence, plane.log, contract, now_ms)
    return gone + await asyncio.to_thread(sweep_folders, plane.home / "runs", plane.known, plane.log, now_ms)


async def keep_sweeping(plane: Plane) -> None:
    """Sweep at the start and then every hour, until cancelled. What cannot be removed now is tried again."""
    while True:
        with suppress(OSError):
            await sweep(plane)
        await asyncio.sleep(SWEEP_SECONDS)


def retire_evidence(log: EvidenceLog, contract: Contract, now_ms: int) -> None:
    """State, once a day, that the samples of windows beyond the retention are given up."""
    retention = contract.spec.promises.retention
    if retention is None:
        return
    before_ms = (now_ms - retention.ms) // DAY_MS * DAY_MS
    if before_ms > int(contract.spec.term.start):
        with suppress(NotWrittenError):  # nothing is given up that was not stated; the next sweep tries again
            _state_retirement(log, contract.uid, subject_of(contract), before_ms, now_ms)


def sweep_folders(runs: Path, known: MeasurementStore, log: EvidenceLog, now_ms: int) -> int:
    """Remove the folders whose time is over, and the windows of their contracts; returns how many of both went."""
    gone = 0
    for mark in runs.glob(f"*/{MARK_FILE}"):
        found = json.loads(mark.read_text())
        contract, subject = str(found["contract"]), Subject(**found["subject"])
        if now_ms >= int(found["untilMs"]):
            try:
                _state_retirement(log, contract, subject, int(found["endedMs"]), now_ms)
            except NotWrittenError:
                continue
            gone += known.retire(contract, now_ms) + 1
            shutil.rmtree(mark.parent)
    return gone


def _state_retirement(log: EvidenceLog, uid: str, subject: Subject, before_ms: int, now_ms: int) -> None:
    source = contract_source(uid)
    if log.count(source):
        log.retire(source, subjects=[subject], before_ms=before_ms, at_ms=now_ms)
