"""The file of a simulated fleet, kept in the home so that a later start serves the same."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.cli.failures import conflict
from tenure.cli.homes import make_home

if TYPE_CHECKING:
    from tenure.discovery.fleets import FleetFile

FOLDER = "fleet"


def keep_fleet(home: Path, source: Path, *, running: bool) -> "FleetFile":
    """Copy a fleet into the home once it was read without a fault. Raises ProblemsFound, OSError, and Failure for a
    home that serves this machine or is up."""
    from tenure.discovery.fleets import read_fleet

    if running:
        raise conflict(f"Tenure already runs in {home}", next_step="stop it first: tenure down")
    fleet = read_fleet(source)
    folder = home / FOLDER
    if (home / "state.db").exists() and not folder.exists():
        message = f"{home} serves this machine; a simulated fleet needs a home of its own"
        raise conflict(message, next_step=f"tenure --home DIR up --fleet {source}")
    make_home(home)
    folder.mkdir(exist_ok=True, mode=0o700)
    beside = home / f"{FOLDER}.next"
    shutil.copyfile(source, beside)
    for old in folder.iterdir():
        old.unlink()
    beside.replace(folder / source.name)
    return fleet


def kept_fleet(home: Path) -> "FleetFile | None":
    """The fleet that this home serves; None where it serves this machine."""
    kept = sorted((home / FOLDER).glob("*"))
    if not kept:
        return None
    from tenure.discovery.fleets import read_fleet

    return read_fleet(kept[0])


def serves_fleet(home: Path) -> bool:
    """Whether this home serves a simulated fleet, and nothing runs there."""
    return any((home / FOLDER).glob("*"))


def fleet_bytes(home: Path) -> int:
    """The size of the fleet's file that this home keeps; 0 where it serves this machine."""
    return sum(path.stat().st_size for path in (home / FOLDER).glob("*"))
