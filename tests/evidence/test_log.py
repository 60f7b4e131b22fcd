"""The log: what it acknowledged is there, once, in order, and whoever cannot write is told before anything happens."""

import os
import threading

import pytest

from tenure.evidence import (
    Draft,
    EvidenceLog,
    LogInUseError,
    LogReader,
    NotWrittenError,
    StatementError,
    UnknownStatementError,
    verify_checkpoint,
    verify_envelope,
)
from tenure.evidence.merkle import is_consistent, leaf_hash, root_from_inclusion
from tenure.quantities import VirtualClock
from tests.evidence.builders import AT_MS, a_log, a_ring, a_statement, rotated


def fill(log, count, **changes):
    return [log.append(a_statement(number, id=f"{changes}-{number}", **changes)) for number in range(count)]


def test_what_was_acknowledged_is_read_back_after_a_restart(tmp_path):
    log = a_log(tmp_path)
    receipts, root = fill(log, 20), log.root
    log.close()
    again = a_log(tmp_path)
    assert (again.size, again.root) == (20, root)
    assert [again.statement(index).sequence for index in range(20)] == [receipt.sequence for receipt in receipts]


def test_each_source_is_numbered_without_gaps(tmp_path):
    log = a_log(tmp_path)
    fill(log, 3, source="a")
    fill(log, 2, source="b")
    assert log.append(a_statement(id="x", source="a")).sequence == 3
    assert log.places("a") == [0, 1, 2, 5]
    assert log.places("b") == [3, 4]


def test_the_same_statement_is_made_once(tmp_path):
    log = a_log(tmp_path)
    first = log.append(a_statement(id="once"), {"samples": [1, 2]})
    log.close()
    log = a_log(tmp_path)
    again = log.append(a_statement(id="once", at_ms=AT_MS + 999), {"samples": [1, 2]})
    assert again.repeated
    assert (again.index, again.sequence, again.envelope) == (first.index, first.sequence, first.envelope)
    assert log.size == 1


def test_an_id_that_says_something_else_now_is_refused(tmp_path):
    log = a_log(tmp_path)
    log.append(a_statement(id="once"))
    with pytest.raises(StatementError) as caught:
        log.append(a_statement(id="once", body={"what": "another"}))
    assert caught.value.code == "StatementIdTaken"
    with pytest.raises(StatementError):
        log.append(a_statement(id="once"), {"samples": [1]})


def test_several_are_stated_together_or_not_at_all(tmp_path):
    log = a_log(tmp_path)
    with pytest.raises(StatementError):
        log.append_all([Draft(a_statement(id="good")), Draft(a_statement(id="bad", body={}))])
    assert log.size == 0
    receipts = log.append_all([Draft(a_statement(id=name), {"shared": [7]}) for name in "abc"])
    assert [receipt.index for receipt in receipts] == [0, 1, 2]


def test_inputs_are_found_by_their_digest_and_kept_once(tmp_path):
    log = a_log(tmp_path)
    samples = {"latencyMs": list(range(1000))}
    log.append(a_statement(id="a"), {"samples": samples})
    size = (tmp_path / "evidence" / "log").stat().st_size
    log.append(a_statement(id="b"), {"samples": samples})
    assert (tmp_path / "evidence" / "log").stat().st_size - size < 2048
    (named,) = log.statement(1).inputs
    assert (named.name, log.input(named.sha256)) == ("samples", samples)
    with pytest.raises(UnknownStatementError):
        log.input("0" * 64)


def test_a_second_writer_is_refused(tmp_path):
    log = a_log(tmp_path)
    with pytest.raises(LogInUseError):
        a_log(tmp_path)
    log.close()
    a_log(tmp_path)


def test_a_reader_needs_no_lock_and_changes_nothing(tmp_path):
    log = a_log(tmp_path)
    fill(log, 3)
    reader = LogReader.open(tmp_path / "evidence", keys=a_ring(tmp_path))
    assert (reader.size, reader.root) == (log.size, log.root)
    log.append(a_statement(id="later"))
    assert reader.size == 3


def test_where_no_log_is_a_reader_says_so(tmp_path):
    with pytest.raises(UnknownStatementError, match="tenure up"):
        LogReader.open(tmp_path / "evidence", keys=a_ring(tmp_path))


def test_proofs_hold_against_the_checkpoint(tmp_path):
    log = a_log(tmp_path)
    fill(log, 9)
    early = verify_checkpoint(log.checkpoint(["contract/c-1"]), keys=a_ring(tmp_path).public_keys)
    fill(log, 4, source="more")
    now = verify_checkpoint(log.checkpoint(), keys=a_ring(tmp_path).public_keys)
    assert early.heads == {"contract/c-1": 9}
    assert is_consistent(early.size, now.size, early.root, now.root, log.consistency_proof(early.size))
    for index in range(log.size):
        leaf = leaf_hash(log.envelope(index))
        assert root_from_inclusion(index, log.size, leaf, log.inclusion_proof(index)) == now.root


def test_a_checkpoint_that_was_given_is_in_the_log(tmp_path):
    log = a_log(tmp_path)
    fill(log, 2)
    subjects = a_statement().subjects
    note = log.issue_checkpoint("contract/c-1", purpose="acceptance", subjects=subjects, at_ms=AT_MS)
    assert log.statement(2).body == {"checkpoint": note}
    log.append(a_statement(id="more"))
    assert log.issue_checkpoint("contract/c-1", purpose="acceptance", subjects=subjects, at_ms=AT_MS) == note
    assert log.size == 4


def test_statements_from_before_a_rotation_stay_good(tmp_path):
    ring = a_ring(tmp_path)
    log = EvidenceLog.open_for_writing(tmp_path / "evidence", keys=ring, clock=VirtualClock())
    log.append(a_statement(id="before"))
    rotated(ring)
    log.append(a_statement(id="after"))
    assert [statement.id for statement in log.verify(keys=ring.public_keys)] == ["before", "after"]
    log.close()
    assert a_log(tmp_path).size == 2


def test_many_threads_share_a_sync_and_none_is_lost(tmp_path, monkeypatch):
    log = a_log(tmp_path)
    syncs = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: syncs.append(descriptor))

    def state(worker):
        for number in range(25):
            log.append(a_statement(id=f"{worker}-{number}", source=f"worker/{worker}"))

    threads = [threading.Thread(target=state, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.size == 200
    assert all(log.count(f"worker/{worker}") == 25 for worker in range(8))
    assert len(syncs) <= 200
    assert sum(1 for _ in log.verify(keys=a_ring(tmp_path).public_keys)) == 200


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_a_full_disk_is_told_to_whoever_wanted_to_act(tmp_path, monkeypatch, call):
    log = a_log(tmp_path)
    fill(log, 2)
    length = (tmp_path / "evidence" / "log").stat().st_size

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(NotWrittenError, match="No space left"):
            log.append(a_statement(id="action"))
    assert (tmp_path / "evidence" / "log").stat().st_size == length
    assert (
        verify_envelope(log.append(a_statement(id="action")).envelope, keys=a_ring(tmp_path).public_keys).sequence == 2
    )
    log.close()
    assert a_log(tmp_path).size == 3


def test_a_half_written_batch_is_taken_back(tmp_path, monkeypatch):
    log, real, calls = a_log(tmp_path), os.pwrite, []

    def half(descriptor, data, offset):
        if len(calls) % 2:
            calls.append(0)
            raise OSError(28, "No space left on device")
        calls.append(0)
        return real(descriptor, bytes(data)[: len(data) // 2], offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", half)
        with pytest.raises(NotWrittenError):
            log.append(a_statement(id="action"))
    log.append(a_statement(id="other"))
    log.close()
    assert [statement.id for statement in a_log(tmp_path).verify(keys=a_ring(tmp_path).public_keys)] == ["other"]


def test_when_a_write_cannot_even_be_taken_back_nothing_more_is_written(tmp_path, monkeypatch):
    log = a_log(tmp_path)

    def broken(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        for call in ("fdatasync", "ftruncate"):
            patch.setattr(os, call, broken)
        with pytest.raises(NotWrittenError):
            log.append(a_statement(id="one"))
    with pytest.raises(NotWrittenError, match="Input/output error"):
        log.append(a_statement(id="two"))
    assert log.size == 0


def test_a_checkpoint_is_stored_every_ten_seconds(tmp_path):
    clock = VirtualClock()
    log = a_log(tmp_path, clock=clock)
    stored = tmp_path / "evidence" / "checkpoint"
    fill(log, 2)
    assert verify_checkpoint(stored.read_text(), keys=a_ring(tmp_path).public_keys).size == 0
    clock.advance(10_000)
    log.append(a_statement(id="later"))
    assert verify_checkpoint(stored.read_text(), keys=a_ring(tmp_path).public_keys).size == 3
