"""JSON in its one canonical form (RFC 8785), so that equal values have equal bytes and equal digests."""

import hashlib
import json
from typing import Any

import rfc8785

from tenure.evidence.errors import StatementError

Json = Any
"""A JSON value as `json.loads` gives it: dict, list, str, int, float, bool or None."""


def canonical_bytes(value: Json) -> bytes:
    """The RFC 8785 encoding of `value`, UTF-8.

    Raises StatementError for what JSON cannot say exactly: integers beyond 2^53 - 1, NaN, infinities, lone
    surrogates, keys that are no strings, and anything that is no JSON value.
    """
    return _encoded_plainly(value) or _encoded_slowly(value)


def digest(value: Json) -> str:
    """SHA-256 of the canonical form, lower-case hexadecimal."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def parse_exactly(data: bytes) -> Json:
    """The value of `data`, refused unless `data` is exactly its canonical form.

    A parser that accepts spaces, duplicate keys or `1e0` lets two different files mean the same; here every byte
    counts. Raises StatementError.
    """
    try:
        value, plain = _decoded(data)
        if plain and _dumped(value) == data:
            return value
        again = rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        # JSON's numbers are doubles: 2^53 and beyond is an integer only in how it is written.
        value = json.loads(data, parse_int=_number)
        again = _encoded_slowly(value)
    except rfc8785.CanonicalizationError as error:
        raise StatementError(f"the value has no canonical JSON form: {error}") from None
    except (ValueError, RecursionError) as error:
        raise StatementError(f"not JSON: {error}") from None
    if again != data:
        raise StatementError("JSON, but not in canonical form (RFC 8785)")
    return value


# The rfc8785 package decides; it is written in Python, and a window's samples are thousands of numbers. Python's own
# encoder is twenty times faster and gives the same bytes except for what `_decoded` and `_dumped` look out for: text
# beyond ASCII (the order of keys), floats in exponent or .0 form, integers from 16 digits, keys that are no texts.


def _encoded_slowly(value: Json) -> bytes:
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise StatementError(f"the value has no canonical JSON form: {error}") from None


def _encoded_plainly(value: Json) -> bytes | None:
    """The encoding, where it is beyond doubt; None where the slow way has to decide."""
    try:
        data = _dumped(value)
        again, plain = _decoded(data)
    except (TypeError, ValueError, RecursionError):
        return None
    # Equal means that no key was turned into a text, and no odd type into a plain one.
    return data if plain and again == value else None


def _dumped(value: Json) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _decoded(data: bytes) -> tuple[Json, bool]:
    """The value, and whether both encoders agree on its form. Raises ValueError."""
    odd: list[str] = []

    def read_float(text: str) -> float:
        if text.endswith(".0") or "e" in text or "E" in text:
            odd.append(text)
        return float(text)

    value = json.loads(data, parse_float=read_float, parse_constant=_refuse)
    plain = not odd and data.isascii() and _LONG_INTEGER not in (data + b",").translate(_DIGITS)
    return value, plain


_DIGITS = bytes(48 if 48 <= byte <= 57 else 44 if byte in b",]}" else 32 for byte in range(256))
"""Turns every digit into 0 and whatever may follow a number into a comma."""
_LONG_INTEGER = b"0" * 16 + b","


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _number(text: str) -> int | float:
    value = int(text) if len(text) < 20 else float(text)
    return value if abs(value) < 2**53 else float(text)
