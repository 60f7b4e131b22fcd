"""Whether a request carries one of the contract's keys, learnt without ever holding a key.

The configuration holds HMAC-SHA256 of each key under a random MAC key. Keys have 256 random bits, so a fast keyed hash
is enough; a password hash would only cost time at every request.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

KEY_PREFIX = "tenure-"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key that opens the tap: who uses it (`user` or `prober`) and its keyed hash in hex."""

    role: str
    mac: str


def new_key() -> str:
    """A fresh key of 256 random bits, printable."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def mac_of(mac_key: str, key: str) -> str:
    """Keyed hash (hex) of a key, as the configuration holds it. `mac_key` is hex."""
    return hmac.digest(bytes.fromhex(mac_key), key.encode(), "sha256").hex()


class KeyRing:
    """Answers in a time that depends neither on the key nor on which entry it matches."""

    def __init__(self, mac_key: str, entries: list[KeyEntry]) -> None:
        self._mac_key = bytes.fromhex(mac_key)
        self._entries = [(bytes.fromhex(entry.mac), entry.role) for entry in entries]

    def role_of(self, authorization: bytes | None) -> str | None:
        """Role of a `Bearer` header's key, or None."""
        scheme, _, key = (authorization or b"").partition(b" ")
        mac = hmac.digest(self._mac_key, key.strip(), "sha256")
        found = None
        for known, role in self._entries:
            if hmac.compare_digest(mac, known):
                found = role
        return found if scheme.lower() == b"bearer" else None
