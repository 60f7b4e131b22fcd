"""What lies in a home, and what of it a backup holds, copied while the control plane runs.

In this order: the objects, the measurements, the records of runs, then the evidence and last the keys. Everything is
stated before it is done, so evidence copied after the objects says at least what they rest on.
"""

import os
import shutil
from pathlib import Path

from tenure.cli.fleet_file import BEFORE as FLEET_BEFORE
from tenure.cli.fleet_file import FOLDER as FLEET
from tenure.engines.simulated import FOLDER as SIMULATED
from tenure.measurement.copying import copy_measurements
from tenure.store import back_up_file

STATE, MEASUREMENTS, EVIDENCE, KEYS, RUNS = "state.db", "measurements.db", "evidence", "keys", "runs"
RETAINED = "retained"  # until when what ended contracts left is kept: without it nothing of theirs would ever go
FOLDERS = ("tokens", "tls", FLEET, FLEET_BEFORE, "serving", RETAINED)
PORT = "port"  # at which the door was last: clients elsewhere were told of it
RUN_RECORDS = ("spec.json", "state.json")
EVIDENCE_FILES = ("checkpoint", "retire.json", "log")
"""In this order: neither checkpoint nor plan ever knows of a statement that the log beside it lacks."""


def copy_home(home: Path, target: Path) -> int:
    """Everything that a backup holds; the version that its objects have. Raises StoreError, MeasurementsDamagedError,
    OSError."""
    version = back_up_file(home / STATE, target / STATE)
    copy_measurements(home / MEASUREMENTS, target / MEASUREMENTS)
    for run in sorted((home / RUNS).glob("*")):
        _copy_files(run, target / RUNS / run.name, RUN_RECORDS)
    # A record that is being written has another ending; what one lacks for being later than the objects is settled
    # where they are put back (`simulated_records`).
    records = [path.name for path in sorted((home / SIMULATED).glob("*.json"))]
    _copy_files(home / SIMULATED, target / SIMULATED, records)
    _copy_files(home, target, (PORT,))
    for name in FOLDERS:
        _copy_folder(home / name, target / name)
    _copy_files(home / EVIDENCE, target / EVIDENCE, EVIDENCE_FILES)
    _copy_folder(home / KEYS, target / KEYS)
    return version


def _copy_folder(source: Path, target: Path) -> None:
    if source.is_dir():
        _copy_files(source, target, [path.name for path in sorted(source.iterdir()) if path.is_file()])


def _copy_files(source: Path, target: Path, names: tuple[str, ...] | list[str]) -> None:
    for name in names:
        try:
            content = (source / name).open("rb")
        except FileNotFoundError:
            continue  # a run that was forgotten meanwhile, a file that was never made
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        private = os.open(target / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with content, os.fdopen(private, "wb") as out:
            shutil.copyfileobj(content, out)
