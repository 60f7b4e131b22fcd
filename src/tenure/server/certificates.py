"""The certificate of the loopback address: kubectl sends a token over TLS only, so there is TLS, though nothing leaves.

Made at first start and again before it ends: an authority whose key is thrown away at once, and the one certificate
that it ever signed. Clients trust `tls/ca.crt` of the home and nothing else.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from tenure.quantities import Clock

_DAYS = 3650
_RENEW_DAYS = 30
# A wrong clock that is put right must not make the certificate one of the future.
_BACKDATED_DAYS = 2


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the authority's certificate, the server's and its key lie."""

    authority: Path
    certificate: Path
    key: Path


def certificates_of(home: Path, clock: Clock) -> Certificates:
    """The certificates of this home, made where there are none or they end within a month."""
    directory = home / "tls"
    found = Certificates(directory / "ca.crt", directory / "server.crt", directory / "server.key")
    ends = directory / "ends"  # Unix seconds; spares reading certificates at every start
    now = datetime.fromtimestamp(clock.now_ms() / 1000, tz=UTC)
    try:
        left = float(ends.read_text()) - now.timestamp()
    except (OSError, ValueError):
        left = 0.0
    if left < _RENEW_DAYS * 86400 or not all(p.exists() for p in (found.authority, found.certificate, found.key)):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        end = now + timedelta(days=_DAYS)
        _make(found, now - timedelta(days=_BACKDATED_DAYS), end)
        ends.write_text(f"{end.timestamp():.0f}\n")
    return found


def _make(paths: Certificates, start: datetime, end: datetime) -> None:
    # Needed once in ten years, and not free to import.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def usage(*, signs_certificates: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=not signs_certificates,
            key_cert_sign=signs_certificates,
            crl_sign=signs_certificates,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )

    def begin(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return builder.not_valid_before(start).not_valid_after(end).add_extension(identifier, critical=False)

    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
    authority = (
        begin("tenure loopback authority", "tenure loopback authority", authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        begin("tenure", "tenure loopback authority", key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    _write(paths.key, private, 0o600)
    _write(paths.certificate, certificate.public_bytes(pem), 0o644)
    _write(paths.authority, authority.public_bytes(pem), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
