"""Evidence: what a verdict rests on, stated, signed, and kept so that a stranger can check it.

Promises: a statement (in-toto v1, canonical JSON, DSSE, Ed25519) is verified with nothing but public keys; the signing
key is readable by its owner alone, is rotated by endorsement, and never leaves its object.
Refuses: keys that others can read, values without one exact form, envelopes with a byte that nobody signed.
"""

from tenure.evidence.canonical import canonical_bytes, digest, parse_exactly
from tenure.evidence.contracts import (
    contract_source,
    contract_statement,
    contract_subject,
    first_difference,
    sign_contract,
    terms_of,
    verify_contract,
)
from tenure.evidence.dsse import Envelope, open_envelope, seal
from tenure.evidence.errors import EvidenceError, SignatureError, SigningKeyError, StatementError
from tenure.evidence.keyring import KeyRecord, KeyRing, export_history, parse_history, trusted_keys
from tenure.evidence.keys import PublicKey, SigningKey
from tenure.evidence.predicates import PREDICATES, Predicate
from tenure.evidence.statements import Statement, Subject, sign_statement, verify_envelope

__all__ = [
    "PREDICATES",
    "Envelope",
    "EvidenceError",
    "KeyRecord",
    "KeyRing",
    "Predicate",
    "PublicKey",
    "SignatureError",
    "SigningKey",
    "SigningKeyError",
    "Statement",
    "StatementError",
    "Subject",
    "canonical_bytes",
    "contract_source",
    "contract_statement",
    "contract_subject",
    "digest",
    "export_history",
    "first_difference",
    "open_envelope",
    "parse_exactly",
    "parse_history",
    "seal",
    "sign_contract",
    "sign_statement",
    "terms_of",
    "trusted_keys",
    "verify_contract",
    "verify_envelope",
]
