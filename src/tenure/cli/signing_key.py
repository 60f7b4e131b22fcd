"""The key that signs evidence, as `up`, `backup` and `restore` see it: kept in the home, or elsewhere by its owner."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.cli import failures
from tenure.cli.homes import make_home

if TYPE_CHECKING:
    from tenure.evidence import KeyRing

KEYS = "keys"


def settle_key(home: Path, file: Path | None, *, running: bool) -> None:
    """See to it that a start finds the key that signs: the one that its owner brings in `file` (the home remembers
    where it is, nothing more), else the one of last time. A home without keys makes one when it starts.

    Raises Failure: the key is away, no Ed25519 key, within reach of others, or another signs here.
    """
    from tenure.cli.evidence import faces
    from tenure.evidence import KeyRing, brought_key
    from tenure.evidence.keyring import HISTORY
    from tenure.quantities import SystemClock

    known = (home / KEYS / HISTORY).exists()
    if running and file is not None and not known:
        raise failures.conflict(f"Tenure already runs in {home}", next_step="stop it first: tenure down")
    if file is None and not known:
        return
    with faces():
        if file is not None:
            if not known:
                brought_key(file, home=home)  # said before a home is made for it
            make_home(home)
        KeyRing.open(home / KEYS, clock=SystemClock(), owner_key=file)


def brought_key_of(keys: "KeyRing | None") -> dict[str, Any] | None:
    """The file in which the owner keeps the key that signs, and whether it is there; None when the home keeps it."""
    kept_at = None if keys is None else keys.kept_at
    return None if kept_at is None else {"file": str(kept_at), "present": kept_at.is_file()}
