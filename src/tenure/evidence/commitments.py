"""Salted commitments: a person's data can be referred to for ever, and forgotten at any time.

A log never forgets, so personal data must not enter it. What enters is HMAC-SHA256(salt, canonical value); the value
and its salt are kept where they can be erased. Once the salt is gone the commitment says nothing about the value, not
even to someone who guesses it: 256 random bits stand between.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from tenure.evidence.canonical import Json, canonical_bytes

SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Commitment:
    """`sha256` (hex) goes into a statement; `salt` stays with the value, outside the log."""

    sha256: str
    salt: bytes


def commit(value: Json, *, salt: bytes | None = None) -> Commitment:
    """Commit to `value`. A new salt is drawn for each commitment, so that equal values do not show as equal."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    if len(salt) < SALT_BYTES:
        raise ValueError(f"a salt has at least {SALT_BYTES} bytes")
    return Commitment(hmac.new(salt, canonical_bytes(value), hashlib.sha256).hexdigest(), salt)


def reveals(commitment: Commitment, value: Json) -> bool:
    """Whether `value` is what was committed to."""
    return hmac.compare_digest(commit(value, salt=commitment.salt).sha256, commitment.sha256)
