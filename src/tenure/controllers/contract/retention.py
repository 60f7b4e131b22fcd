"""Retention: windows, samples, journals and logs are kept for as long as the contract says, and then they go.

What was stated stays for good; that the samples behind it are given up is itself stated, before anything goes. An ended
contract leaves a mark apart from its run's folder, so that all goes in time though the Contract may be long deleted.
"""

import asyncio
import json
import shutil
from pathlib import Path

import structlog

from tenure.controllers.contract.judging import run_folder
from tenure.controllers.contract.stating import subject_of
from tenure.controllers.plane import Plane
from tenure.evidence import EvidenceLog, Subject, contract_source, replace_file
from tenure.measurement.store import MeasurementStore
from tenure.resources import Contract

MARKS_FOLDER = "retained"
SWEEP_SECONDS = 3_600.0
DAY_MS = 86_400_000
COMPACT_EVERY_NS = DAY_MS * 1_000_000
"""Windows go day by day, so there is nothing to gain from writing the log anew more often."""

log = structlog.get_logger("tenure.controllers")


def keep_in_time(home: Path, run: Path, contract: Contract, now_ms: int, *, judged: bool) -> None:
    """Mark what an ended contract leaves with the time until which it is kept. Said once, it stays.

    `judged`: windows of it were. Their samples lie in the evidence log, and are to go in time also where the run's
    folder was lost, or is not in the backup that this home was restored from.
    """
    retention = contract.spec.promises.retention
    mark = home / MARKS_FOLDER / f"{contract.uid}.json"
    if retention is None or mark.exists() or not (judged or run.is_dir()):
        return
    mark.parent.mkdir(mode=0o700, exist_ok=True)
    subject = subject_of(contract)
    said = {
        "run": run.name,
        "subject": {"name": subject.name, "sha256": subject.sha256},
        "endedMs": now_ms,
        "untilMs": now_ms + retention.ms,
    }
    replace_file(mark, json.dumps(said, sort_keys=True).encode(), mode=0o600)


async def mark_ended(plane: Plane, contract: Contract) -> None:
    """The mark of a contract that has just ended."""
    await asyncio.to_thread(_mark, plane, contract, plane.clock.now_ms())


def _mark(plane: Plane, contract: Contract, now_ms: int) -> None:
    judged = plane.known.newest_settled_ms(contract.uid) is not None
    keep_in_time(plane.home, run_folder(plane, contract), contract, now_ms, judged=judged)


async def keep_sweeping(plane: Plane) -> None:
    """Sweep at the start and then every hour, until cancelled. What cannot go now is tried again."""
    while True:
        try:
            await sweep(plane)
        except Exception:  # retention can wait: it must never take the rest of management with it
            log.exception("retention could not be looked after")
        await asyncio.sleep(SWEEP_SECONDS)


async def sweep(plane: Plane) -> None:
    """Give up what is beyond its retention: of contracts that stand, and of those that ended."""
    now_ms = plane.clock.now_ms()
    for contract in (await plane.client.list(Contract)).readable:
        if contract.status is not None and contract.status.phase == "Active":
            await asyncio.to_thread(retire_windows, plane.log, plane.known, contract, now_ms)
    await asyncio.to_thread(sweep_ended, plane.home, plane.known, plane.log, now_ms)
    await asyncio.to_thread(plane.known.prune)
    await asyncio.to_thread(plane.log.compact, every_ns=COMPACT_EVERY_NS)


def retire_windows(evidence: EvidenceLog, known: MeasurementStore, contract: Contract, now_ms: int) -> None:
    """Give up, day by day, the windows of a contract in service that are beyond its retention.

    A day is given up once all of it is beyond: a window is kept for the retention at least, however short that is, and
    for less than a day more.
    """
    retention = contract.spec.promises.retention
    if retention is None:
        return
    before_ms = (now_ms - retention.ms) // DAY_MS * DAY_MS
    if before_ms <= int(contract.spec.term.start):
        return
    try:
        _give_up(evidence, known, contract.uid, subject_of(contract), before_ms, now_ms)
    except Exception:
        log.exception("windows beyond their retention stay", contract=contract.name)


def sweep_ended(home: Path, known: MeasurementStore, evidence: EvidenceLog, now_ms: int) -> int:
    """Remove what ended contracts left whose time is over; returns of how many. The mark goes last."""
    gone = 0
    for mark in sorted((home / MARKS_FOLDER).glob("*.json")):
        try:
            found = json.loads(mark.read_text())
            if now_ms < int(found["untilMs"]):
                continue
            _give_up(evidence, known, mark.stem, Subject(**found["subject"]), int(found["endedMs"]), now_ms)
            run = home / "runs" / Path(str(found["run"])).name
            if run.is_dir():
                shutil.rmtree(run)
            mark.unlink()
            gone += 1
        except Exception:
            log.exception("what an ended contract left stays", mark=str(mark))
    return gone


def _give_up(
    evidence: EvidenceLog, known: MeasurementStore, uid: str, subject: Subject, before_ms: int, now_ms: int
) -> None:
    """Stated first: nothing goes that was not said to go."""
    source = contract_source(uid)
    if evidence.count(source):
        evidence.retire(source, subjects=[subject], before_ms=before_ms, at_ms=now_ms)
    known.retire(uid, before_ms)
