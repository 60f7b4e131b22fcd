"""Where private keys are: in the home, or where their owner keeps them. The home then knows only the place.

Beside `history.json` lies for each key that has signed here either `KEYID.pem`, the private key (0600), or
`KEYID.path`, the absolute path of a file that its owner keeps elsewhere. A private key is never copied.
"""

import os
import stat
from pathlib import Path

from tenure.evidence.durable import replace_file
from tenure.evidence.errors import SigningKeyError
from tenure.evidence.keys import SigningKey


def brought_key(path: Path, *, home: Path | None = None) -> SigningKey:
    """The key in a file that its owner keeps. Raises SigningKeyError, also for a file inside `home`: what lies there
    goes into backups."""
    if home is not None and path.resolve().is_relative_to(home.resolve()):
        raise SigningKeyError(
            "a key of your own lies inside the home, and would go into its backups",
            path=str(path),
            next_step="keep it in a folder outside the home",
        )
    try:
        return SigningKey.parse(read_private(path), path=str(path))
    except SigningKeyError as error:
        if path.exists():
            raise
        raise SigningKeyError(
            error.message,
            path=str(path),
            next_step="correct the path, or make a key with `openssl genpkey -algorithm ed25519 -out FILE`",
        ) from None


def place_of(folder: Path, key_id: str) -> Path | None:
    """Where the owner keeps the private key with this id; None for one that is kept here."""
    try:
        return Path((folder / f"{key_id}.path").read_text().rstrip("\n"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SigningKeyError(f"cannot be read ({error})", path=str(folder / f"{key_id}.path")) from None


def keep(folder: Path, key: SigningKey, at: Path | None) -> None:
    """Keep a private key here, or note that its owner keeps it `at` another place. Raises SigningKeyError."""
    if at is None:
        write(folder / f"{key.id}.pem", key.pem(), mode=0o600)
    elif place_of(folder, key.id) != at.absolute():
        write(folder / f"{key.id}.path", f"{at.absolute()}\n".encode(), mode=0o600)


def drop(folder: Path, key_id: str) -> None:
    """Take back what `keep` did, for a key that never came to sign."""
    for name in (f"{key_id}.pem", f"{key_id}.path"):
        (folder / name).unlink(missing_ok=True)


def find_private(folder: Path, key_id: str) -> SigningKey:
    """The private key with this id, wherever it is kept. Raises SigningKeyError naming the file and the next step."""
    kept_at = place_of(folder, key_id)
    path = folder / f"{key_id}.pem" if kept_at is None else kept_at
    try:
        key = SigningKey.parse(read_private(path), path=str(path))
        if key.id != key_id:
            raise SigningKeyError(f"this is not the key that signs here now, {key_id[:16]}…", path=str(path))
    except SigningKeyError as error:
        if kept_at is None:
            raise
        raise SigningKeyError(
            f"the key that its owner brought: {error.message}",
            path=str(path),
            next_step="put it back there for its owner alone (0600), or say where it is now: "
            "`tenure up --signing-key FILE`",
        ) from None
    return key


def read_private(path: Path) -> bytes:
    """The bytes of a private key file. Raises SigningKeyError when anyone but its owner can read or change it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SigningKeyError(
            f"the signing key cannot be read ({error.strerror})",
            path=str(path),
            next_step="restore it from a backup; without it no new evidence can be signed",
        ) from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SigningKeyError("a signing key is a regular file", path=str(path))
        if status.st_mode & 0o077:
            raise SigningKeyError(
                f"others on this machine can reach the signing key (mode {stat.S_IMODE(status.st_mode):04o})",
                path=str(path),
                next_step=f"consider it known to others: rotate it, and `chmod 600 {path}`",
            )
        if status.st_uid not in (os.geteuid(), 0):
            raise SigningKeyError(f"the signing key belongs to user {status.st_uid}", path=str(path))
        return file.read(65_536)


def write(path: Path, data: bytes, *, mode: int) -> None:
    """Replace a file of this folder. Raises SigningKeyError."""
    try:
        replace_file(path, data, mode=mode)
    except OSError as error:
        raise SigningKeyError(
            f"cannot be written ({error.strerror})", path=str(path), next_step="free space or correct the permissions"
        ) from None
