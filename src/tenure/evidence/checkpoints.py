"""Checkpoints: a log's size and root, signed, in the text form that transparency logs exchange.

C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint) in a C2SP signed note with Ed25519, type 0x01
(https://c2sp.org/signed-note): a few lines that a user can keep in a mail, and that witnesses already cosign.
Extension lines `source NAME COUNT` say how many statements a source has made so far; the specification discourages
extensions because monitors cannot audit them, here their holder can, with any later bundle.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tenure.evidence.errors import SignatureError
from tenure.evidence.keys import PublicKey, SigningKey

ED25519_NOTE = b"\x01"
SIGNATURES_MAX = 16


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed: which log, how many leaves, the root (32 bytes), and how many statements of some sources."""

    origin: str
    size: int
    root: bytes
    heads: Mapping[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """The note text, with its final newline."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode()]
        lines += [f"source {name} {count}" for name, count in sorted(self.heads.items())]
        return "\n".join(lines) + "\n"


def sign_checkpoint(checkpoint: Checkpoint, *, key: SigningKey) -> str:
    """The signed note. The key's name is the log's origin."""
    signature = _note_key_id(checkpoint.origin, key.public) + key.sign(checkpoint.text().encode())
    return f"{checkpoint.text()}\n— {checkpoint.origin} {base64.b64encode(signature).decode()}\n"


def verify_checkpoint(note: str, *, keys: Iterable[PublicKey]) -> Checkpoint:
    """The checkpoint in `note`, once one of `keys` is seen to have signed it; other signers' lines are ignored.

    Raises SignatureError.
    """
    checkpoint, lines = _read(note)
    text = checkpoint.text()
    known = {_note_key_id(checkpoint.origin, key): key for key in keys}
    good = False
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        blob = _decode(encoded)
        if dash != "—" or len(blob) < 5:
            raise _malformed("a signature line is malformed")
        key = known.get(blob[:4]) if name == checkpoint.origin else None
        if key is None:
            continue
        if not key.verifies(blob[4:], text.encode()):
            raise SignatureError("the checkpoint's signature does not hold", path="checkpoint")
        good = True
    if not good:
        raise SignatureError("the checkpoint is signed by none of the trusted keys", path="checkpoint")
    return checkpoint


def parse_checkpoint(note: str) -> Checkpoint:
    """The checkpoint that `note` claims to be, whoever signed it. Raises SignatureError: it has not the form of one."""
    return _read(note)[0]


def _read(note: str) -> tuple[Checkpoint, list[str]]:
    """The checkpoint, and the lines of its signatures."""
    text, separator, signatures = note.rpartition("\n\n")
    lines = signatures.removesuffix("\n").split("\n") if signatures.endswith("\n") else []
    if not separator or not 0 < len(lines) <= SIGNATURES_MAX:
        raise _malformed("no signed note")
    return _parse(text + "\n"), lines


def _parse(text: str) -> Checkpoint:
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines) or any(ord(character) < 32 for line in lines for character in line):
        raise _malformed("origin, size and root are expected, a line each")
    origin, size, root = lines[:3]
    if not _is_number(size):
        raise _malformed(f"{size[:40]!r} is no tree size")
    if len(_decode(root)) != 32:
        raise _malformed("the root is not 32 bytes")
    heads = {}
    for line in lines[3:]:
        word, _, rest = line.partition(" ")
        name, _, count = rest.rpartition(" ")
        if word != "source" or not name or not _is_number(count):
            raise _malformed(f"unknown line {line[:40]!r}")
        heads[name] = int(count)
    checkpoint = Checkpoint(origin, int(size), _decode(root), heads)
    if checkpoint.text() != text:
        raise _malformed("not in the one form that we write")
    return checkpoint


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 15 and str(int(text)) == text


def _note_key_id(name: str, key: PublicKey) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519_NOTE + key.raw).digest()[:4]


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise _malformed("base64 with stray bits at its end")
    return data


def _malformed(message: str) -> SignatureError:
    return SignatureError(
        message, path="checkpoint", next_step="give the checkpoint as it was printed, all lines of it"
    )
