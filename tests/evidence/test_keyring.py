"""Keys: made once, kept to oneself, brought by their owner where wanted, and rotated under witness."""

import os
import stat

import pytest

from tenure.evidence import KeyRing, SigningKey, SigningKeyError, canonical_bytes, export_history, parse_history
from tenure.evidence.canonical import parse_exactly
from tenure.evidence.keyfiles import read_private
from tenure.evidence.keyring import trusted_keys
from tenure.quantities import VirtualClock
from tests.evidence.builders import rotated

CLOCK = VirtualClock()


def a_ring(tmp_path, **how):
    return KeyRing.open(tmp_path / "home" / "keys", clock=CLOCK, **how)


def an_owner_s_key(tmp_path, mode=0o600):
    key, path = SigningKey.generate(), tmp_path / "owner.pem"
    path.write_bytes(key.pem())
    path.chmod(mode)
    return key, path


def test_first_start_makes_a_key_that_only_its_owner_reads(tmp_path):
    ring = a_ring(tmp_path)
    path = tmp_path / "home" / "keys" / f"{ring.signing.id}.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home" / "keys").stat().st_mode) == 0o700


def test_a_later_start_finds_the_same_key(tmp_path):
    assert a_ring(tmp_path).signing.id == a_ring(tmp_path).signing.id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622])
def test_a_key_that_others_reach_is_refused(tmp_path, mode):
    ring = a_ring(tmp_path)
    (tmp_path / "home" / "keys" / f"{ring.signing.id}.pem").chmod(mode)
    with pytest.raises(SigningKeyError, match="others on this machine") as caught:
        a_ring(tmp_path)
    assert "rotate it" in caught.value.next_step


def test_a_link_in_place_of_a_key_is_refused(tmp_path):
    _, path = an_owner_s_key(tmp_path)
    (tmp_path / "link.pem").symlink_to(path)
    with pytest.raises(SigningKeyError):
        read_private(tmp_path / "link.pem")


def test_a_missing_key_is_not_silently_replaced(tmp_path):
    ring = a_ring(tmp_path)
    (tmp_path / "home" / "keys" / f"{ring.signing.id}.pem").unlink()
    with pytest.raises(SigningKeyError, match="cannot be read"):
        a_ring(tmp_path)


def test_an_owner_brings_a_key_that_stays_where_it_is(tmp_path):
    key, path = an_owner_s_key(tmp_path)
    ring = a_ring(tmp_path, owner_key=path)
    assert ring.signing.id == key.id
    held = {file.name: file.read_bytes() for file in (tmp_path / "home" / "keys").iterdir()}
    assert set(held) == {"history.json", f"{key.id}.path"}
    assert not any(b"PRIVATE KEY" in content for content in held.values())


def test_a_later_start_finds_the_owner_s_key_by_itself(tmp_path):
    key, path = an_owner_s_key(tmp_path)
    a_ring(tmp_path, owner_key=path)
    assert a_ring(tmp_path).signing.id == key.id
    assert KeyRing.read(tmp_path / "home" / "keys").kept_at == path


def test_an_owner_s_key_that_moved_is_asked_for_and_its_new_place_remembered(tmp_path):
    key, path = an_owner_s_key(tmp_path)
    a_ring(tmp_path, owner_key=path)
    moved = path.rename(tmp_path / "moved.pem")
    with pytest.raises(SigningKeyError, match="its owner brought") as caught:
        a_ring(tmp_path)
    assert caught.value.path == str(path)
    assert "tenure up --signing-key FILE" in caught.value.next_step
    a_ring(tmp_path, owner_key=moved)
    assert a_ring(tmp_path).signing.id == key.id


def test_another_key_in_the_remembered_place_is_refused(tmp_path):
    _, path = an_owner_s_key(tmp_path)
    a_ring(tmp_path, owner_key=path)
    an_owner_s_key(tmp_path)
    with pytest.raises(SigningKeyError, match="not the key that signs here now"):
        a_ring(tmp_path)


def test_an_owner_s_key_that_others_read_is_refused(tmp_path):
    _, path = an_owner_s_key(tmp_path, mode=0o644)
    with pytest.raises(SigningKeyError):
        a_ring(tmp_path, owner_key=path)
    assert not (tmp_path / "home" / "keys" / "history.json").exists()


def test_an_owner_s_key_within_the_home_is_refused_since_backups_would_hold_it(tmp_path):
    (tmp_path / "home").mkdir()
    _, path = an_owner_s_key(tmp_path / "home")
    with pytest.raises(SigningKeyError, match="inside the home"):
        a_ring(tmp_path, owner_key=path)


def test_a_key_brought_later_is_taken_by_a_stated_rotation_only(tmp_path):
    a_ring(tmp_path)
    _, path = an_owner_s_key(tmp_path)
    with pytest.raises(SigningKeyError) as caught:
        a_ring(tmp_path, owner_key=path)
    assert "tenure evidence rotate --key FILE" in caught.value.next_step


def test_whoever_knows_the_first_key_follows_the_history_to_the_newest(tmp_path):
    ring = a_ring(tmp_path)
    first = ring.signing.public
    for _ in range(3):
        CLOCK.advance(1000)
        rotated(ring, at_ms=CLOCK.now_ms())
    records = parse_history(export_history(a_ring(tmp_path).history))
    assert trusted_keys(records, anchor=first)[-1].id == ring.signing.id


def test_a_history_in_which_a_key_vouches_for_nobody_is_refused(tmp_path):
    ring = a_ring(tmp_path)
    rotated(ring, at_ms=CLOCK.now_ms())
    entries = parse_exactly(export_history(ring.history))
    stranger = SigningKey.generate().public
    entries[1].update(keyId=stranger.id, publicKey=stranger.pem)
    with pytest.raises(SigningKeyError, match=r"\[1\].endorsement"):
        parse_history(canonical_bytes(entries))


def test_a_predecessor_that_the_new_key_never_accepted_is_refused(tmp_path):
    """Else anyone could put a key of their own in front of ours, and have it trusted."""
    ring = a_ring(tmp_path)
    rotated(ring, at_ms=CLOCK.now_ms())
    entries = parse_exactly(export_history(ring.history))
    entries[1]["endorsement"]["signatures"].pop()
    with pytest.raises(SigningKeyError, match="both keys sign"):
        parse_history(canonical_bytes(entries))


def test_every_flipped_bit_of_a_history_is_seen_or_changes_the_first_key(tmp_path):
    ring = a_ring(tmp_path)
    rotated(ring, at_ms=CLOCK.now_ms())
    data = export_history(ring.history)
    for bit in range(0, len(data) * 8, 11):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            records = parse_history(bytes(damaged))
        except SigningKeyError:
            continue
        # Nobody vouches for when the first key began; that date is all that can change unseen here. A bundle's
        # signature covers it.
        assert [record.key.id for record in records] == [record.key.id for record in ring.history]
        assert records[0].since_ms != ring.history[0].since_ms


def test_a_stranger_s_key_is_no_anchor(tmp_path):
    with pytest.raises(SigningKeyError, match="not in this key history"):
        trusted_keys(a_ring(tmp_path).history, anchor=SigningKey.generate().public)


def test_a_full_disk_leaves_the_old_key_in_use(tmp_path, monkeypatch):
    ring = a_ring(tmp_path)
    before = ring.signing.id

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SigningKeyError, match="No space left"):
        rotated(ring, at_ms=CLOCK.now_ms())
    monkeypatch.undo()
    assert ring.signing.id == before == a_ring(tmp_path).signing.id
