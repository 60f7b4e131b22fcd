"""Dead Simple Signing Envelopes (DSSE v1): https://github.com/secure-systems-lab/dsse/blob/master/protocol.md

The signature covers the payload's bytes and type, so a verifier never parses what nobody signed.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from tenure.evidence.errors import SignatureError
from tenure.evidence.keys import PublicKey, SigningKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
ID_SHOWN = 16
"""Characters of a key's id that people are shown; enough to tell the few keys of a history apart."""

Envelope = dict[str, Any]
"""`{"payload": base64, "payloadType": str, "signatures": [{"keyid": str, "sig": base64}]}`."""


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What is really signed (PAE of the DSSE protocol, version 1)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, *, key: SigningKey, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """The envelope of `payload`, signed by `key`."""
    signature = key.sign(pre_authentication_encoding(payload_type, payload))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [{"keyid": key.id, "sig": base64.b64encode(signature).decode()}],
    }


def countersign(envelope: Envelope, *, key: SigningKey) -> Envelope:
    """The envelope with the signature of one more key over the same payload."""
    payload = _decode(envelope.get("payload"), "$.payload")
    more = seal(payload, key=key, payload_type=str(envelope["payloadType"]))["signatures"]
    return {**envelope, "signatures": [*envelope["signatures"], *more]}


def peek_payload(envelope: object) -> bytes:
    """The payload that nobody vouches for: only to say more about an envelope that was refused."""
    if not isinstance(envelope, Mapping):
        raise SignatureError("an envelope is a JSON object", path="$")
    return _decode(envelope.get("payload"), "$.payload")


def open_envelope(envelope: object, *, keys: Iterable[PublicKey], payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The payload of `envelope`, once one of `keys` is seen to have signed it.

    Raises SignatureError with the path of the field that fails. Every signature in the envelope must be a good one
    of a known key: an extra one that nobody can check would be bytes that nobody vouches for.
    """
    if not isinstance(envelope, Mapping):
        raise SignatureError("an envelope is a JSON object", path="$")
    unknown = set(envelope) - {"payload", "payloadType", "signatures"}
    if unknown:
        raise SignatureError("not a field of a DSSE envelope", path=f"$.{min(map(str, unknown))}")
    if envelope.get("payloadType") != payload_type:
        raise SignatureError(f"{envelope.get('payloadType')!r} is not {payload_type}", path="$.payloadType")
    payload = _decode(envelope.get("payload"), "$.payload")
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or not signatures:
        raise SignatureError("nobody signed this", path="$.signatures")
    by_id = {key.id: key for key in keys}
    message = pre_authentication_encoding(payload_type, payload)
    for position, signature in enumerate(signatures):
        path = f"$.signatures[{position}]"
        if not isinstance(signature, Mapping) or set(signature) != {"keyid", "sig"}:
            raise SignatureError("a signature has a keyid and a sig", path=path)
        key = by_id.get(str(signature["keyid"]))
        if key is None:
            raise SignatureError(
                f"signed by {_told_apart(str(signature['keyid']), by_id)}, which is none of the trusted keys",
                path=f"{path}.keyid",
                next_step="ask the provider for its key history",
            )
        if not key.verifies(_decode(signature["sig"], f"{path}.sig"), message):
            raise SignatureError(f"not the signature of key {key.id[:ID_SHOWN]}… over this payload", path=f"{path}.sig")
    return payload


def _told_apart(key_id: str, trusted: Iterable[str]) -> str:
    """As much of an unknown key's id as tells it from every trusted one; where it is nearly one of them, the place."""
    alike, near = max(((_common(key_id, one), one) for one in trusted), default=(0, ""))
    if alike < ID_SHOWN:
        return f"{key_id[:ID_SHOWN]}…"
    found, wanted = key_id[alike : alike + 1] or "nothing", near[alike : alike + 1] or "nothing"
    return f"a key like {near[:ID_SHOWN]}… but for character {alike + 1}, {found!r} where it has {wanted!r}"


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _decode(text: object, path: str) -> bytes:
    """Strict base64. DSSE also allows the URL-safe alphabet; we write the standard one and accept what we write."""
    if not isinstance(text, str):
        raise SignatureError("base64 text is expected", path=path)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError("not base64", path=path) from None
    if base64.b64encode(data).decode() != text:
        raise SignatureError("base64 with stray bits at its end", path=path)
    return data
