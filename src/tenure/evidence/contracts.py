"""The signature of a contract: its immutable terms, as one statement in one envelope.

Anyone with the public key can check it, offline, against the Contract object that any API client reads.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tenure.evidence.canonical import digest
from tenure.evidence.dsse import Envelope
from tenure.evidence.errors import SignatureError
from tenure.evidence.keys import PublicKey, SigningKey
from tenure.evidence.statements import Statement, Subject, sign_statement, verify_envelope

MUTABLE_FIELDS = ("endRequested",)
"""Fields of a Contract's spec that its user may still write; they are requests, not terms."""


def terms_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What is signed of a Contract's spec (wire form): all of it but what its user may still write."""
    return {name: value for name, value in spec.items() if name not in MUTABLE_FIELDS}


def contract_source(uid: str) -> str:
    """The source under which a contract's statements are numbered."""
    return f"contract/{uid}"


def contract_subject(*, namespace: str, name: str, spec: Mapping[str, Any]) -> Subject:
    """A contract as a subject: its name, and the digest of its terms."""
    return Subject(f"contracts/{namespace}/{name}", digest(terms_of(spec)))


def contract_statement(
    *, namespace: str, name: str, uid: str, spec: Mapping[str, Any], at_ms: int, sequence: int = 0
) -> Statement:
    """The statement of a contract's terms. `spec` is the Contract's spec in wire form (camelCase, plain JSON)."""
    return Statement(
        predicate="contract",
        id=f"{contract_source(uid)}/terms",
        source=contract_source(uid),
        sequence=sequence,
        at_ms=at_ms,
        subjects=(contract_subject(namespace=namespace, name=name, spec=spec),),
        body={"terms": terms_of(spec)},
    )


def sign_contract(
    *, namespace: str, name: str, uid: str, spec: Mapping[str, Any], at_ms: int, key: SigningKey
) -> Envelope:
    """The envelope that goes into the contract's status. Raises StatementError."""
    return sign_statement(contract_statement(namespace=namespace, name=name, uid=uid, spec=spec, at_ms=at_ms), key=key)


def verify_contract(
    envelope: object, *, namespace: str, name: str, uid: str, spec: Mapping[str, Any], keys: Iterable[PublicKey]
) -> Statement:
    """The signed statement, once it is seen to be about this very contract with these very terms.

    Raises SignatureError naming the first term that differs, StatementError for what is no statement.
    """
    statement = verify_envelope(envelope, keys=keys)
    if statement.predicate != "contract":
        raise SignatureError(f"a {statement.predicate} statement, not a contract's", path="$.payload.predicateType")
    if statement.source != contract_source(uid):
        raise SignatureError(f"signed for {statement.source}, not {contract_source(uid)}", path="metadata.uid")
    signed, found = statement.body["terms"], terms_of(spec)
    difference = first_difference(signed, found, "spec")
    if difference:
        raise SignatureError("differs from what was signed", path=difference)
    if statement.subjects != (contract_subject(namespace=namespace, name=name, spec=spec),):
        raise SignatureError(f"signed as {statement.subjects[0].name}", path="metadata.name")
    return statement


def first_difference(signed: object, found: object, path: str) -> str:
    """The path of the first place, in sorted order, where two JSON values differ; empty when they are equal."""
    if isinstance(signed, dict) and isinstance(found, dict):
        for name in sorted(set(signed) | set(found)):
            if name not in signed or name not in found:
                return f"{path}.{name}"
            below = first_difference(signed[name], found[name], f"{path}.{name}")
            if below:
                return below
        return ""
    if isinstance(signed, list) and isinstance(found, list):
        if len(signed) != len(found):
            return path
        for position, (one, other) in enumerate(zip(signed, found, strict=True)):
            below = first_difference(one, other, f"{path}[{position}]")
            if below:
                return below
        return ""
    if type(signed) is type(found):
        return "" if signed == found else path
    return "" if digest(signed) == digest(found) else path  # 1 and 1.0 are one number in JSON; 1 and true are not
