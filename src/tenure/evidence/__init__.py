"""Evidence: what a verdict rests on, stated, signed, and kept so that a stranger can check it.

Promises: a statement (in-toto v1, canonical JSON, DSSE, Ed25519) is verified with nothing but public keys; what the log
has acknowledged is durable, in order, numbered without gaps, and anyone can recompute its Merkle root (RFC 6962); the
signing key is readable by its owner alone, is rotated by endorsement, and never leaves its object.
Refuses: keys that others can read, values without one exact form, envelopes with a byte that nobody signed, a log that
is not what was written (with the byte at which it differs), and to state anything that it cannot make durable.
"""

from tenure.evidence.assembly import Draft, Receipt
from tenure.evidence.bundles import BundleSummary, contract_sources, export_bundle
from tenure.evidence.canonical import canonical_bytes, digest, parse_exactly
from tenure.evidence.checkpoints import Checkpoint, parse_checkpoint, sign_checkpoint, verify_checkpoint
from tenure.evidence.contracts import (
    contract_source,
    contract_statement,
    contract_subject,
    first_difference,
    sign_contract,
    terms_of,
    verify_contract,
)
from tenure.evidence.coverage import ContradictionError, Owed, OwedBy
from tenure.evidence.dsse import Envelope, open_envelope, seal
from tenure.evidence.durable import replace_file
from tenure.evidence.errors import (
    BundleError,
    EvidenceError,
    LogDamagedError,
    LogInUseError,
    NotWrittenError,
    SignatureError,
    SigningKeyError,
    StatementError,
    UnknownStatementError,
)
from tenure.evidence.keyfiles import brought_key
from tenure.evidence.keyring import KeyRecord, KeyRing, export_history, parse_history, trusted_keys
from tenure.evidence.keys import PublicKey, SigningKey
from tenure.evidence.log import EvidenceLog
from tenure.evidence.predicates import PREDICATES, Predicate
from tenure.evidence.reader import LogReader
from tenure.evidence.recomputing import OtherJudgeError, Recompute
from tenure.evidence.report import Failure, Report, Uncounted, Unjudged
from tenure.evidence.statements import Statement, Subject, sign_statement, verify_envelope
from tenure.evidence.timeliness import SpeaksFor
from tenure.evidence.verification import verify_bundle

__all__ = [
    "PREDICATES",
    "BundleError",
    "BundleSummary",
    "Checkpoint",
    "ContradictionError",
    "Draft",
    "Envelope",
    "EvidenceError",
    "EvidenceLog",
    "Failure",
    "KeyRecord",
    "KeyRing",
    "LogDamagedError",
    "LogInUseError",
    "LogReader",
    "NotWrittenError",
    "OtherJudgeError",
    "Owed",
    "OwedBy",
    "Predicate",
    "PublicKey",
    "Receipt",
    "Recompute",
    "Report",
    "SignatureError",
    "SigningKey",
    "SigningKeyError",
    "SpeaksFor",
    "Statement",
    "StatementError",
    "Subject",
    "Uncounted",
    "Unjudged",
    "UnknownStatementError",
    "brought_key",
    "canonical_bytes",
    "contract_source",
    "contract_sources",
    "contract_statement",
    "contract_subject",
    "digest",
    "export_bundle",
    "export_history",
    "first_difference",
    "open_envelope",
    "parse_checkpoint",
    "parse_exactly",
    "parse_history",
    "replace_file",
    "seal",
    "sign_checkpoint",
    "sign_contract",
    "sign_statement",
    "terms_of",
    "trusted_keys",
    "verify_bundle",
    "verify_checkpoint",
    "verify_contract",
    "verify_envelope",
]
