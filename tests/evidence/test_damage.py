"""What a crash leaves is repaired, what anything else did is refused with its place; no flipped bit goes unseen."""

import random
import shutil

import pytest

from tenure.evidence import Draft, EvidenceError, LogDamagedError, LogReader
from tenure.evidence.frames import ALIGNMENT, SECTOR_BYTES
from tests.evidence.builders import a_log, a_ring, a_statement


@pytest.fixture
def home(tmp_path):
    """A log of 30 statements in 12 writes, some with inputs, closed."""
    log = a_log(tmp_path)
    for number in range(10):
        log.append(a_statement(id=f"s-{number}"), {"samples": [number, "x" * 50 * number]})
    log.append_all([Draft(a_statement(id=f"t-{number}"), {"samples": [number]}) for number in range(19)])
    log.append(a_statement(id="last"))
    log.close()
    return tmp_path


@pytest.fixture
def crashed(tmp_path):
    """The same, but its writer died: the stored checkpoint is the first one, of the empty log."""
    log = a_log(tmp_path)
    for number in range(4):
        log.append(a_statement(id=f"s-{number}"))
    before = (tmp_path / "evidence" / "log").stat().st_size
    log.append_all([Draft(a_statement(id=f"t-{number}"), {"samples": [number] * 400}) for number in range(6)])
    log._release()
    return tmp_path, before


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def flips_unseen(home, count, seed):
    """How many of `count` single flipped bits in the log's files does opening, or reading all of it, not notice?"""
    chance, files, unseen = random.Random(seed), [home / "evidence" / "log", home / "evidence" / "checkpoint"], 0
    originals = {path: path.read_bytes() for path in files}
    sizes = [len(originals[path]) for path in files]
    for _ in range(count):
        (path,) = chance.choices(files, sizes)
        flip(path, chance.randrange(len(originals[path]) * 8))
        try:
            LogReader.open(home / "evidence", keys=a_ring(home)).close()
            unseen += 1
        except LogDamagedError:
            pass
        path.write_bytes(originals[path])
    return unseen


def test_flipped_bits_are_seen(home):
    assert flips_unseen(home, 300, seed=1) == 0


def test_flipped_bits_are_seen_in_the_last_write_of_a_crashed_writer(crashed):
    home, _ = crashed
    assert flips_unseen(home, 300, seed=2) == 0


@pytest.mark.slow
def test_ten_thousand_flipped_bits_are_seen(home):
    assert flips_unseen(home, 10_000, seed=3) == 0


def test_damage_is_named_by_its_byte_and_left_alone(home):
    path = home / "evidence" / "log"
    flip(path, 8 * 5000)
    before = path.read_bytes()
    with pytest.raises(LogDamagedError, match="restore the log from a backup") as caught:
        a_log(home)
    assert 0 < caught.value.offset <= 5000
    assert path.read_bytes() == before


def test_a_write_cut_short_anywhere_is_dropped_and_the_log_goes_on(crashed):
    home, before = crashed
    path = home / "evidence" / "log"
    checkpoint = home / "evidence" / "checkpoint"
    data, early = path.read_bytes(), checkpoint.read_bytes()
    for length in range(before + 1, len(data), 211):
        path.write_bytes(data[:length])
        checkpoint.write_bytes(early)
        log = a_log(home)
        assert (log.size, log.recovered_bytes) == (4, length - before)
        assert log.append(a_statement(id="t-0")).index == 4
        log.close()


def test_sectors_that_never_reached_the_disk_are_a_torn_write(crashed):
    home, before = crashed
    path = home / "evidence" / "log"
    data = path.read_bytes()
    for sector in range(before // SECTOR_BYTES + 1, len(data) // SECTOR_BYTES + 1):
        begin = sector * SECTOR_BYTES
        torn = data[:begin] + bytes(min(SECTOR_BYTES, len(data) - begin)) + data[begin + SECTOR_BYTES :]
        path.write_bytes(torn)
        reader = LogReader.open(home / "evidence", keys=a_ring(home))
        assert reader.size == 4, begin
    path.write_bytes(data[:before] + bytes(4096))
    assert a_log(home).size == 4


def test_zeroes_in_the_middle_are_damage(crashed):
    home, before = crashed
    path = home / "evidence" / "log"
    data = path.read_bytes()
    path.write_bytes(data[:ALIGNMENT] + bytes(ALIGNMENT) + data[2 * ALIGNMENT :])
    with pytest.raises(LogDamagedError) as caught:
        a_log(home)
    assert caught.value.offset == ALIGNMENT
    path.write_bytes(data[: before - 600] + bytes(512) + data[before - 88 :])
    with pytest.raises(LogDamagedError):
        a_log(home)


def test_an_end_cut_off_below_the_checkpoint_is_missed(home):
    path = home / "evidence" / "log"
    batches = path.read_bytes().split(b"TEB1")
    path.write_bytes(b"TEB1".join(batches[:-1]))
    with pytest.raises(LogDamagedError, match="ends after 29 statements; its checkpoint has 30"):
        a_log(home)


def test_writes_in_another_order_are_refused(home):
    path = home / "evidence" / "log"
    batches = path.read_bytes().split(b"TEB1")
    batches[2], batches[3] = batches[3], batches[2]
    path.write_bytes(b"TEB1".join(batches))
    with pytest.raises(LogDamagedError, match="should follow"):
        a_log(home)


def test_a_write_repeated_is_refused(home):
    path = home / "evidence" / "log"
    batches = path.read_bytes().split(b"TEB1")
    path.write_bytes(b"TEB1".join([*batches, batches[-1]]))
    with pytest.raises(LogDamagedError, match="should follow"):
        a_log(home)


def test_a_log_written_anew_by_someone_else_is_refused(home, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    log = a_log(other)
    for number in range(40):
        log.append(a_statement(id=f"s-{number}"))
    log.close()
    shutil.copy(other / "evidence" / "log", home / "evidence" / "log")
    with pytest.raises(LogDamagedError, match="none of the trusted keys"):
        a_log(home)


@pytest.mark.parametrize("name", ["log", "checkpoint"])
def test_a_missing_file_is_not_made_anew(home, name):
    (home / "evidence" / name).unlink()
    with pytest.raises(EvidenceError, match="gone"):
        a_log(home)
