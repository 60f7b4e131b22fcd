"""A contract is signed, and anyone with the public key can check it; one changed byte, and nobody believes it."""

import base64
import copy
import json
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as PeerEnvelope
from securesystemslib.signer import SSlibKey

from tenure.evidence import (
    PREDICATES,
    PublicKey,
    SignatureError,
    SigningKey,
    StatementError,
    canonical_bytes,
    parse_exactly,
    seal,
    sign_contract,
    sign_statement,
    verify_contract,
    verify_envelope,
)
from tenure.evidence.dsse import open_envelope
from tests.evidence.builders import AT_MS, WHO, a_spec, a_statement

KEY = SigningKey.generate()
OTHER = SigningKey.generate()


def signed(spec):
    return sign_contract(**WHO, spec=spec, at_ms=AT_MS, key=KEY)


def test_a_contract_is_verified_with_the_public_key_alone():
    public = PublicKey.parse(KEY.public.pem)
    statement = verify_contract(signed(a_spec()), **WHO, spec=a_spec(), keys=[public])
    assert statement.predicate == "contract"
    assert statement.body["terms"] == a_spec()


def test_asking_for_the_end_changes_no_term():
    verify_contract(signed(a_spec()), **WHO, spec=a_spec(endRequested=True), keys=[KEY.public])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"offer": "chat-2"}, "spec.offer"),
        ({"term": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T02:00:00Z"}}, "spec.term.end"),
        ({"extra": 1}, "spec.extra"),
    ],
)
def test_a_changed_term_is_named(change, path):
    with pytest.raises(SignatureError) as caught:
        verify_contract(signed(a_spec()), **WHO, spec=a_spec(**change), keys=[KEY.public])
    assert caught.value.path == path


@pytest.mark.parametrize(("who", "path"), [({"uid": "c-2"}, "metadata.uid"), ({"name": "other"}, "metadata.name")])
def test_a_signature_is_not_carried_over_to_another_contract(who, path):
    with pytest.raises(SignatureError) as caught:
        verify_contract(signed(a_spec()), **{**WHO, **who}, spec=a_spec(), keys=[KEY.public])
    assert caught.value.path == path


def test_a_stranger_s_signature_is_refused_by_key():
    with pytest.raises(SignatureError, match="none of the trusted keys"):
        verify_envelope(sign_statement(a_statement(), key=OTHER), keys=[KEY.public])


def test_claiming_another_s_key_id_does_not_help():
    envelope = sign_statement(a_statement(), key=OTHER)
    envelope["signatures"][0]["keyid"] = KEY.id
    with pytest.raises(SignatureError) as caught:
        verify_envelope(envelope, keys=[KEY.public])
    assert caught.value.path == "$.signatures[0].sig"


def test_every_flipped_bit_of_an_envelope_is_seen():
    data = canonical_bytes(sign_statement(a_statement(), key=KEY))
    for bit in range(0, len(data) * 8, 7):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises((SignatureError, StatementError)):
            verify_envelope(parse_exactly(bytes(damaged)), keys=[KEY.public])


def test_securesystemslib_reads_what_we_sign():
    envelope = sign_statement(a_statement(), key=KEY)
    key = SSlibKey(KEY.id, "ed25519", "ed25519", {"public": KEY.public.raw.hex()})
    peer = PeerEnvelope.from_dict(copy.deepcopy(envelope))
    assert peer.verify([key], 1) == {KEY.id: key}
    assert json.loads(peer.payload)["predicateType"] == "https://tenure.dev/evidence/notice/v1"


def test_we_read_what_securesystemslib_signs():
    from securesystemslib.signer import CryptoSigner

    signer = CryptoSigner.generate_ed25519()
    signer.public_key.keyid = "peer"
    peer = PeerEnvelope(canonical_bytes(a_statement().to_wire()), "application/vnd.in-toto+json", {})
    peer.sign(signer)
    raw = bytes.fromhex(signer.public_key.keyval["public"])
    spki = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + raw).decode()
    public = PublicKey.parse(f"-----BEGIN PUBLIC KEY-----\n{spki}\n-----END PUBLIC KEY-----\n")
    envelope = peer.to_dict()
    envelope["signatures"][0]["keyid"] = public.id
    assert verify_envelope(envelope, keys=[public]) == a_statement()


def test_openssl_agrees_on_the_id_of_a_key(tmp_path):
    (tmp_path / "key.pem").write_text(KEY.public.pem)
    try:
        der = subprocess.run(
            ["openssl", "pkey", "-pubin", "-in", "key.pem", "-outform", "DER"],
            cwd=tmp_path,
            capture_output=True,
            check=True,
            env={"PATH": os.environ["PATH"]},
        ).stdout
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    import hashlib

    assert hashlib.sha256(der).hexdigest() == KEY.id


texts = st.text(st.characters(codec="utf-8"))
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_canonical_form_is_a_fixed_point(value):
    data = canonical_bytes(value)
    assert canonical_bytes(parse_exactly(data)) == data


@given(json_values)
def test_any_json_is_stated_and_read_back(value):
    statement = a_statement(body={"what": value})
    found = verify_envelope(sign_statement(statement, key=KEY), keys=[KEY.public])
    assert canonical_bytes(found.to_wire()) == canonical_bytes(statement.to_wire())


@pytest.mark.parametrize("value", [2**53, float("nan"), float("inf"), "\ud800", {1: 2}, object()])
def test_what_has_no_exact_form_is_refused(value):
    with pytest.raises(StatementError):
        canonical_bytes(value)


@pytest.mark.parametrize("predicate", PREDICATES, ids=lambda predicate: predicate.name)
def test_every_predicate_names_what_its_body_lacks(predicate):
    complete = dict.fromkeys(predicate.required, "x")
    sign_statement(a_statement(predicate=predicate.name, body=complete), key=KEY)
    for name in predicate.required:
        lacking = {key: value for key, value in complete.items() if key != name}
        with pytest.raises(StatementError) as caught:
            sign_statement(a_statement(predicate=predicate.name, body=lacking), key=KEY)
        assert caught.value.path == f"$.predicate.body.{name}"


def test_fields_that_a_later_version_adds_are_signed_and_bind_nothing():
    wire = a_statement().to_wire()
    wire["predicate"]["season"] = "spring"
    wire["subject"][0]["uri"] = "https://example.org/c"
    envelope = seal(canonical_bytes(wire), key=KEY)
    assert verify_envelope(envelope, keys=[KEY.public]) == a_statement()
    changed = canonical_bytes(wire).replace(b"spring", b"winter")
    with pytest.raises(SignatureError):
        verify_envelope({**envelope, "payload": base64.b64encode(changed).decode()}, keys=[KEY.public])


def test_a_key_id_with_one_wrong_character_is_told_from_the_key_that_it_is_like() -> None:
    key = SigningKey.generate()
    envelope = seal(b"{}", key=key)
    wrong = key.public.id[:40] + ("0" if key.public.id[40] != "0" else "1") + key.public.id[41:]
    envelope["signatures"][0]["keyid"] = wrong
    with pytest.raises(SignatureError) as caught:
        open_envelope(envelope, keys=[key.public])
    said = f"a key like {wrong[:16]}… but for character 41, {wrong[40]!r} where it has {key.public.id[40]!r}"
    assert said in str(caught.value)


def test_twin_a_key_id_of_its_own_is_shown_by_its_beginning() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    with pytest.raises(SignatureError, match=f"signed by {other.public.id[:16]}…, which is none"):
        open_envelope(seal(b"{}", key=other), keys=[key.public])
