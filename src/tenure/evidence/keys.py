"""Ed25519 keys: a signing key that never leaves its object, and public keys named by what they are.

A key's id is the SHA-256 of its SubjectPublicKeyInfo (RFC 8410, DER), in hexadecimal: whoever has the public key can
compute it, so an id cannot be claimed.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from tenure.evidence.errors import SigningKeyError


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies. `pem` is the SubjectPublicKeyInfo in PEM, as `openssl pkey -pubin` reads it."""

    id: str
    pem: str
    _key: Ed25519PublicKey = field(repr=False, compare=False)

    @staticmethod
    def parse(pem: str | bytes, *, path: str = "") -> "PublicKey":
        """The key in a PEM text. Raises SigningKeyError when it is none, or not Ed25519."""
        data = pem.encode() if isinstance(pem, str) else pem
        try:
            key = load_pem_public_key(data)
        except Exception as error:
            raise SigningKeyError(
                f"no public key in PEM form ({type(error).__name__})",
                path=path,
                next_step="give the file that `tenure evidence show --public-key` prints",
            ) from None
        if not isinstance(key, Ed25519PublicKey):
            raise SigningKeyError(
                f"a {type(key).__name__}, not an Ed25519 key",
                path=path,
                next_step="give the file that `tenure evidence show --public-key` prints",
            )
        return PublicKey._of(key)

    @staticmethod
    def _of(key: Ed25519PublicKey) -> "PublicKey":
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return PublicKey(hashlib.sha256(spki).hexdigest(), pem, key)

    @property
    def raw(self) -> bytes:
        """The 32 bytes of the key itself (RFC 8032)."""
        return self._key.public_bytes_raw()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this key signed exactly `message`."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs, with its public half."""

    public: PublicKey
    _key: Ed25519PrivateKey = field(repr=False, compare=False)

    @staticmethod
    def generate() -> "SigningKey":
        """A new key from the system's randomness."""
        return SigningKey._of(Ed25519PrivateKey.generate())

    @staticmethod
    def parse(pem: bytes, *, path: str = "") -> "SigningKey":
        """The key in an unencrypted PKCS #8 PEM, as `openssl genpkey -algorithm ed25519` writes it.

        Raises SigningKeyError for anything else; the message never contains the key.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except Exception as error:
            raise SigningKeyError(
                f"no unencrypted private key in PEM form ({type(error).__name__})",
                path=path,
                next_step="make one with `openssl genpkey -algorithm ed25519 -out FILE`",
            ) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningKeyError(
                f"a {type(key).__name__}, not an Ed25519 key",
                path=path,
                next_step="make one with `openssl genpkey -algorithm ed25519 -out FILE`",
            )
        return SigningKey._of(key)

    @staticmethod
    def _of(key: Ed25519PrivateKey) -> "SigningKey":
        return SigningKey(PublicKey._of(key.public_key()), key)

    @property
    def id(self) -> str:
        """The id of the public half."""
        return self.public.id

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature (RFC 8032, deterministic)."""
        return self._key.sign(message)

    def pem(self) -> bytes:
        """PKCS #8, unencrypted: for the key file and nothing else."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
