"""The keys of one installation: made at first start or brought by its owner, rotated, and published as a history.

In the folder `keys/` (0700): the private keys or where their owner keeps them (see `keyfiles`), and `history.json`, the
public ones, oldest first.
Each key after the first comes with a `key-rotation` statement that both it and the key before it have signed, so that
whoever trusts any one key of the history can follow it to the newest and back to the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.evidence import keyfiles
from tenure.evidence.canonical import canonical_bytes, parse_exactly
from tenure.evidence.dsse import Envelope, countersign
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

        `owner_key`: an Ed25519 key in PKCS #8 PEM that stays where it is; the place is remembered, so that a later
        start finds it. Once there is a history it must be the newest of it: another becomes so by `rotate` only.
        Raises SigningKeyError for a key that is away, that others can read or that is no Ed25519 key, and for a broken
        history.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (folder / HISTORY).exists():
            ring = KeyRing.read(folder, owner_key=owner_key)
            if owner_key is not None:
                keyfiles.keep(folder, ring.signing, owner_key)
            ring._signing = ring.signing  # read now: a key that is away is known at the start
            return ring
        signing = SigningKey.generate() if owner_key is None else keyfiles.brought_key(owner_key, home=folder.parent)
        keyfiles.keep(folder, signing, owner_key)
        first = KeyRecord(signing.public, clock.now_ms())
        ring = KeyRing(folder, (first,), signing)
        ring._save((first,))
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
            brought = keyfiles.brought_key(owner_key, home=folder.parent)
            if brought.id != ring.public_keys[-1].id:
                raise SigningKeyError(
                    f"this is not the key that signs here now, {ring.public_keys[-1].id[:16]}…",
                    path=str(owner_key),
                    next_step="make it so with `tenure down` and `tenure evidence rotate --key FILE`",
                )
            ring._signing = brought
        return ring

    @property
    def signing(self) -> SigningKey:
        """The key that signs now. Raises SigningKeyError when it is away, or when others can read it."""
        if self._signing is None:
            self._signing = keyfiles.find_private(self._folder, self._records[-1].key.id)
        return self._signing

    @property
    def kept_at(self) -> Path | None:
        """Where its owner keeps the key that signs now; None when it is kept here."""
        return keyfiles.place_of(self._folder, self._records[-1].key.id)

    @property
    def history(self) -> tuple[KeyRecord, ...]:
        """Every key there was, oldest first."""
        return self._records

    @property
    def public_keys(self) -> tuple[PublicKey, ...]:
        """Every public key there was, oldest first."""
        return tuple(record.key for record in self._records)

    def prepare(self, *, to: SigningKey | None = None, at: Path | None = None) -> SigningKey:
        """Keep the key that is to sign next, or note that its owner keeps it `at` another place. Nothing signs with it
        before `follow`, and `forget` takes it back. Raises SigningKeyError."""
        new = to or SigningKey.generate()
        if new.id in {key.id for key in self.public_keys}:
            raise SigningKeyError(
                "a key that was in use before is not taken again", path="keys", next_step="make a new one"
            )
        keyfiles.keep(self._folder, new, at)
        return new

    def forget(self, prepared: SigningKey) -> None:
        """Take back `prepare`."""
        keyfiles.drop(self._folder, prepared.id)

    def follow(self, new_id: str, *, at_ms: int) -> KeyRecord:
        """Sign with a prepared key from now on; the old one vouches for it first.

        The old private key stays until its owner removes it. Crash-safe: the history is replaced in one step.
        Raises SigningKeyError; the old key is then still the one that signs.
        """
        new, old = keyfiles.find_private(self._folder, new_id), self.signing
        record = KeyRecord(new.public, at_ms, endorse(new, by=old, at_ms=at_ms, sequence=len(self._records) - 1))
        self._save((*self._records, record))
        self._records, self._signing = (*self._records, record), new
        return record

    def _save(self, records: tuple[KeyRecord, ...]) -> None:
        keyfiles.write(self._folder / HISTORY, export_history(records), mode=0o644)


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
