"""The keys of one installation: made at first start or brought by its owner, rotated, and published as a history.

In the folder `keys/` (0700): `KEYID.pem`, the private keys (0600), and `history.json`, the public ones, oldest first.
Each key after the first comes with a `key-rotation` statement that both it and the key before it have signed, so that
whoever trusts any one key of the history can follow it to the newest and back to the first.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.evidence.canonical import canonical_bytes, parse_exactly
from tenure.evidence.dsse import Envelope, countersign
from tenure.evidence.durable import replace_file
from tenure.evidence.errors import EvidenceError, SigningKeyError, UnknownStatementError
from tenure.evidence.keys import PublicKey, SigningKey
from tenure.evidence.statements import Statement, Subject, sign_statement, verify_envelope
from tenure.quantities import Clock, format_instant, parse_instant

HISTORY = "history.json"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A public key, since when (Unix ms) it signs, and the envelope in which it and the key before it are paired."""

    key: PublicKey
    since_ms: int
    endorsement: Envelope | None = None

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON, as in `history.json` and in bundles."""
        return {
            "keyId": self.key.id,
            "publicKey": self.key.pem,
            "since": format_instant(self.since_ms),
            "endorsement": self.endorsement,
        }


class KeyRing:
    """The signing key in use and the history of public keys. Not safe for two writers: the log's lock covers it."""

    def __init__(self, folder: Path, records: tuple[KeyRecord, ...], signing: SigningKey | None = None) -> None:
        """Use `open` or `read`."""
        self._folder = folder
        self._records = records
        self._signing = signing

    @staticmethod
    def open(folder: Path, *, clock: Clock, owner_key: Path | None = None) -> "KeyRing":
        """The ring in `folder`; at first start it makes a key, or takes the one that the owner brings.

        `owner_key`: an Ed25519 key in PKCS #8 PEM that stays where it is. When it is not the newest key of the
        history, it becomes so, endorsed by the one before.
        Raises SigningKeyError for a key file that others can read or that is no Ed25519 key, and for a broken history.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        brought = SigningKey.parse(read_private(owner_key), path=str(owner_key)) if owner_key else None
        history = folder / HISTORY
        if not history.exists():
            signing = brought or SigningKey.generate()
            if brought is None:
                _write(folder / f"{signing.id}.pem", signing.pem(), mode=0o600)
            first = KeyRecord(signing.public, clock.now_ms())
            ring = KeyRing(folder, (first,), signing)
            ring._save((first,))
            return ring
        ring = KeyRing.read(folder)
        if brought is not None and brought.id == ring.public_keys[-1].id:
            ring._signing = brought
        elif brought is not None:
            ring.rotate(clock=clock, to=brought, keep=False)
        else:
            ring._signing = ring._read_signing()
        return ring

    @staticmethod
    def read(folder: Path, *, owner_key: Path | None = None) -> "KeyRing":
        """The ring in `folder`, which must be there. Its private key is read only once something is to be signed.

        `owner_key`: where the private key is, when its owner keeps it elsewhere; it must be the newest of the history.
        """
        history = folder / HISTORY
        try:
            data = history.read_bytes()
        except OSError as error:
            raise UnknownStatementError(
                f"there is no key history here ({error.strerror})",
                path=str(history),
                next_step="start Tenure once with `tenure up`, or name its home with --home",
            ) from None
        ring = KeyRing(folder, parse_history(data, path=str(history)))
        if owner_key is not None:
            brought = SigningKey.parse(read_private(owner_key), path=str(owner_key))
            if brought.id != ring.public_keys[-1].id:
                raise SigningKeyError("this is not the key that signs here now", path=str(owner_key))
            ring._signing = brought
        return ring

    @property
    def signing(self) -> SigningKey:
        """The key that signs now. Raises SigningKeyError when it is away, or when others can read it."""
        if self._signing is None:
            self._signing = self._read_signing()
        return self._signing

    @property
    def history(self) -> tuple[KeyRecord, ...]:
        """Every key there was, oldest first."""
        return self._records

    @property
    def public_keys(self) -> tuple[PublicKey, ...]:
        """Every public key there was, oldest first."""
        return tuple(record.key for record in self._records)

    def rotate(self, *, clock: Clock, to: SigningKey | None = None, keep: bool = True) -> KeyRecord:
        """Sign with a new key from now on; the old one vouches for it first.

        The old private key stays until its owner removes it. `keep=False` leaves the new private key where its owner
        keeps it. Crash-safe: the history is replaced last, in one step.
        """
        new, old, now = to or SigningKey.generate(), self.signing, clock.now_ms()
        if new.id in {key.id for key in self.public_keys}:
            raise SigningKeyError("a key that was in use before is not taken again", path="keys")
        record = KeyRecord(new.public, now, endorse(new, by=old, at_ms=now, sequence=len(self._records) - 1))
        if keep:
            _write(self._folder / f"{new.id}.pem", new.pem(), mode=0o600)
        self._save((*self._records, record))
        self._records, self._signing = (*self._records, record), new
        return record

    def _read_signing(self) -> SigningKey:
        newest = self._records[-1].key
        path = self._folder / f"{newest.id}.pem"
        key = SigningKey.parse(read_private(path), path=str(path))
        if key.id != newest.id:
            raise SigningKeyError("this is not the key that its name says", path=str(path))
        return key

    def _save(self, records: tuple[KeyRecord, ...]) -> None:
        _write(self._folder / HISTORY, export_history(records), mode=0o644)


def endorse(new: SigningKey, *, by: SigningKey, at_ms: int, sequence: int) -> Envelope:
    """The envelope in which the key `by` says that `new` signs from `at_ms` on, and `new` that it follows `by`."""
    statement = Statement(
        predicate="key-rotation",
        id=f"key/{new.id}",
        source="keys",
        sequence=sequence,
        at_ms=at_ms,
        subjects=(Subject(f"keys/{new.id}", new.id),),
        body={"from": by.id, "to": new.id, "publicKey": new.public.pem},
    )
    return countersign(sign_statement(statement, key=by), key=new)


def export_history(records: Sequence[KeyRecord]) -> bytes:
    """The public history as canonical JSON: what a provider publishes."""
    return canonical_bytes([record.to_wire() for record in records])


def parse_history(data: bytes, *, path: str = "") -> tuple[KeyRecord, ...]:
    """The history in `data`, each endorsement checked. Raises SigningKeyError naming the entry that fails."""
    try:
        entries = parse_exactly(data)
        if not isinstance(entries, list) or not entries:
            raise SigningKeyError("a list of at least one key is expected")
        records: list[KeyRecord] = []
        for position, entry in enumerate(entries):
            records.append(_parse_record(entry, records, f"[{position}]"))
    except EvidenceError as error:
        raise SigningKeyError(
            f"the key history does not hold{' at ' + error.path if error.path else ''}: {error.message}",
            path=path,
            next_step="restore it from a backup, or from the `keys` of an exported bundle",
        ) from None
    return tuple(records)


def trusted_keys(records: Sequence[KeyRecord], *, anchor: PublicKey) -> tuple[PublicKey, ...]:
    """The keys of a parsed history that contains `anchor`, the one which the verifier already trusts.

    Neighbours have signed for each other, so trust in one reaches all. Raises SigningKeyError when the anchor is not
    in the history at all.
    """
    if anchor.id not in {record.key.id for record in records}:
        raise SigningKeyError(
            f"the public key {anchor.id[:16]}… is not in this key history",
            path="keys",
            next_step="use the public key that the provider gave you when the contract was made",
        )
    return tuple(record.key for record in records)


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


def _parse_record(entry: object, before: Sequence[KeyRecord], path: str) -> KeyRecord:
    if not isinstance(entry, dict) or set(entry) != {"keyId", "publicKey", "since", "endorsement"}:
        raise SigningKeyError("a key has keyId, publicKey, since and endorsement", path=path)
    key = PublicKey.parse(str(entry["publicKey"]), path=f"{path}.publicKey")
    if key.pem != entry["publicKey"]:
        raise SigningKeyError("not the PEM form that we write", path=f"{path}.publicKey")
    if key.id != entry["keyId"]:
        raise SigningKeyError("not the id of this public key", path=f"{path}.keyId")
    try:
        since_ms = parse_instant(str(entry["since"]))
    except ValueError as error:
        raise SigningKeyError(str(error), path=f"{path}.since") from None
    if format_instant(since_ms) != entry["since"]:
        raise SigningKeyError("not the form of time that we write", path=f"{path}.since")
    record = KeyRecord(key, since_ms, entry["endorsement"])
    if not before:
        if record.endorsement is not None:
            raise SigningKeyError("the first key has nobody to vouch for it", path=f"{path}.endorsement")
        return record
    old = before[-1].key
    try:
        statement = verify_envelope(record.endorsement, keys=(old, key))
        signers = [signature["keyid"] for signature in record.endorsement["signatures"]] if record.endorsement else []
    except EvidenceError as error:
        raise SigningKeyError(error.message, path=f"{path}.endorsement{error.path[1:]}") from None
    expected = {"from": old.id, "to": key.id, "publicKey": key.pem}
    if signers != [old.id, key.id]:
        raise SigningKeyError("both keys sign a rotation, the old one first", path=f"{path}.endorsement.signatures")
    if statement.predicate != "key-rotation" or statement.body != expected or statement.at_ms != since_ms:
        raise SigningKeyError("vouches for something else", path=f"{path}.endorsement")
    return record


def _write(path: Path, data: bytes, *, mode: int) -> None:
    try:
        replace_file(path, data, mode=mode)
    except OSError as error:
        raise SigningKeyError(
            f"cannot be written ({error.strerror})", path=str(path), next_step="free space or correct the permissions"
        ) from None
