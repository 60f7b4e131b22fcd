"""The file of a simulated fleet, kept in the home so that a later start serves the same."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.cli.failures import conflict
from tenure.cli.homes import make_home

if TYPE_CHECKING:
    from tenure.discovery.fleets import FleetFile

FOLDER = "fleet"
BEFORE = "fleet.before"
"""The file that was served last, until a control plane has taken the new one over."""


def keep_fleet(home: Path, source: Path, *, running: bool) -> "FleetFile":
    """Copy a fleet into the home once it was read without a fault. Raises ProblemsFound, OSError, and Failure for a
    home that serves this machine or is up."""
    from tenure.discovery.fleets import read_fleet

    if running:
        raise conflict(f"Tenure already runs in {home}", next_step="stop it first: tenure down")
    fleet = read_fleet(source)
    if (home / "state.db").exists() and not (home / FOLDER).exists() and not serves_fleet(home):
        message = f"{home} serves this machine; a simulated fleet needs a home of its own"
        raise conflict(message, next_step=f"tenure --home DIR up --fleet {source}")
    make_home(home)
    _replace(home, source)
    return fleet


def _replace(home: Path, source: Path) -> None:
    """Whole or not at all, also where it is cut off: until the new one is in its place, the old one is served."""
    beside, folder, before = home / f"{FOLDER}.staged", home / FOLDER, home / BEFORE
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    shutil.copyfile(source, beside / source.name)
    if folder.exists():
        if any(before.glob("*")):  # it was never taken over
            shutil.rmtree(folder)
        else:
            shutil.rmtree(before, ignore_errors=True)
            folder.rename(before)
    beside.rename(folder)


def kept_fleet(home: Path) -> "FleetFile | None":
    """The fleet that this home serves; None where it serves this machine."""
    kept = _kept(home)
    if not kept:
        return None
    from tenure.discovery.fleets import read_fleet

    return read_fleet(kept[0])


def fleet_before(home: Path) -> "FleetFile | None":
    """The fleet whose file was last taken over, where this home serves another one now, or another version of it."""
    there = sorted((home / BEFORE).glob("*"))
    if not there:
        return None
    from tenure.discovery.fleets import read_fleet
    from tenure.resources.problems import ProblemsFound

    with suppress(ProblemsFound):  # an older version took it
        return read_fleet(there[0])
    return None


def take_over(home: Path) -> None:
    """The fleet that is served is registered: what its file says from here on is compared with what it says now."""
    if (home / FOLDER).exists():
        shutil.rmtree(home / BEFORE, ignore_errors=True)


def _kept(home: Path) -> list[Path]:
    """The file of this home's fleet; the one before it where it was cut off while it was replaced."""
    return sorted((home / FOLDER).glob("*")) or sorted((home / BEFORE).glob("*"))


def serves_fleet(home: Path) -> bool:
    """Whether this home serves a simulated fleet, and nothing runs there."""
    return bool(_kept(home))


def fleet_bytes(home: Path) -> int:
    """The size of the fleet's file that this home keeps; 0 where it serves this machine."""
    return sum(path.stat().st_size for path in _kept(home))
