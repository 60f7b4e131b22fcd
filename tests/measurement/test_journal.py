"""A journal cannot be torn, cut, changed or silenced without its reader saying so."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.measurement import Checkpoint, DamageKind, JournalReading, JournalWriter, read_journal
from tenure.promises import Outcome

S = 1_000_000_000


class Script:
    """Writes a journal under clocks of the test's choosing."""

    def __init__(self, folder: Path, **sizes: int) -> None:
        self.now = {"wallNs": 1000 * S, "monotonicNs": 50 * S, "bootNs": 50 * S}
        self.folder, self.sizes = folder, sizes
        self.restart()
        self.number = 0

    def pass_time(self, seconds: float, *, wall: float | None = None, awake: float | None = None) -> None:
        self.now["bootNs"] += round(seconds * S)
        self.now["monotonicNs"] += round((seconds if awake is None else awake) * S)
        self.now["wallNs"] += round((seconds if wall is None else wall) * S)

    def mark(self, *in_flight: list[Any]) -> None:
        self.journal.append("mark", self.now | {"inFlight": list(in_flight)})

    def start(self) -> int:
        self.number += 1
        self.journal.append("start", {"id": self.number, "arrivalNs": self.now["wallNs"], "role": "user"})
        return self.number

    def end(self, number: int, arrival_ns: int) -> None:
        timing = {"firstNs": S, "gapsNs": [10, 20], "endNs": S + 30, "promptTokens": 5, "outputTokens": 3}
        told = {
            "id": number,
            "arrivalNs": arrival_ns,
            "role": "user",
            "status": 200,
            "how": "answered",
            "streamed": True,
        }
        self.journal.append("end", told | timing)

    def request(self) -> None:
        arrival = self.now["wallNs"]
        self.end(self.start(), arrival)

    def run(self, seconds: int) -> None:
        """A request and a mark every second."""
        for _ in range(seconds):
            self.request()
            self.pass_time(1)
            self.mark()

    def restart(self) -> None:
        """A new process of the tap."""
        self.journal = JournalWriter(self.folder, read_clocks=lambda: dict(self.now), **self.sizes)

    def read(self, **how: Any) -> JournalReading:
        return read_journal(self.folder, **how)

    @property
    def segments(self) -> list[Path]:
        return sorted(self.folder.glob("journal-*.jsonl"))


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path / "journal")


def kinds(reading: JournalReading) -> list[DamageKind]:
    return [damage.kind for damage in reading.damages]


def test_what_was_written_is_read(script: Script) -> None:
    script.run(5)
    reading = script.read()
    assert reading.damages == []
    assert [(s.arrival_ns, s.outcome) for s in reading.samples["user"]] == [
        ((1000 + k) * S, Outcome.COMPLETED) for k in range(5)
    ]
    assert reading.newest is not None
    assert reading.newest.sequence == 1 + 5 * 3


def test_an_absent_journal_is_an_empty_reading(tmp_path: Path) -> None:
    reading = read_journal(tmp_path / "nowhere")
    assert (reading.newest, reading.newest_ns, reading.damages) == (None, None, [])


class TestDamage:
    def test_a_torn_last_line_is_normal(self, script: Script) -> None:
        script.run(3)
        with script.segments[-1].open("ab") as file:
            file.write(b'{"seq":11,"kind":"ma')
        reading = script.read()
        assert (reading.damages, reading.torn_bytes > 0) == ([], True)

    def test_a_writer_goes_on_behind_a_torn_line(self, script: Script) -> None:
        script.run(2)
        with script.segments[-1].open("ab") as file:
            file.write(b'{"seq":8,"ki')
        script.restart()
        script.run(2)
        reading = script.read()
        assert len(reading.samples["user"]) == 4
        assert kinds(reading) == [DamageKind.SILENT]

    def test_cut_at_a_lines_end_the_head_knows_better(self, script: Script) -> None:
        script.run(5)
        lines = script.segments[-1].read_bytes().splitlines(keepends=True)
        script.segments[-1].write_bytes(b"".join(lines[:-4]))
        reading = script.read()
        assert kinds(reading) == [DamageKind.TRUNCATED]
        assert reading.damages[0].touches(1004 * S, 9999 * S)
        assert not reading.damages[0].touches(1000 * S, 1002 * S)

    def test_cut_together_with_its_head_a_kept_checkpoint_knows_better(self, script: Script) -> None:
        script.run(5)
        known = script.read().newest
        assert known is not None
        lines = script.segments[-1].read_bytes().splitlines(keepends=True)
        script.segments[-1].write_bytes(b"".join(lines[:-4]))
        (script.folder / "head").write_text(f"{known.sequence - 4} {'0' * 16}")
        assert kinds(script.read()) == []
        assert kinds(script.read(known=known)) == [DamageKind.TRUNCATED]

    def test_a_rewritten_journal_is_not_the_one_that_was_seen(self, script: Script) -> None:
        script.run(5)
        known = script.read().newest
        assert known is not None
        assert kinds(script.read(known=Checkpoint(known.sequence, "f" * 16))) == [DamageKind.ALTERED]

    def test_a_journal_that_went_on_after_being_cut_shows_the_gap(self, script: Script) -> None:
        script.run(3)
        lines = script.segments[-1].read_bytes().splitlines(keepends=True)
        script.segments[-1].write_bytes(b"".join(lines[:-3]))
        script.run(3)
        reading = script.read()
        assert DamageKind.GAP in kinds(reading)
        gap = next(d for d in reading.damages if d.kind is DamageKind.GAP)
        assert gap.touches(1002 * S, 1003 * S)
        assert not gap.touches(1005 * S, 1006 * S)

    def test_lost_numbers_are_not_used_again(self, script: Script) -> None:
        script.run(3)
        lines = script.segments[-1].read_bytes().splitlines(keepends=True)
        script.segments[-1].write_bytes(b"".join(lines[:-3]))
        script.restart()
        script.run(1)
        assert DamageKind.GAP in kinds(script.read())

    def test_a_full_disk_leaves_a_gap_and_not_a_lie(self, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        script.run(2)

        def full(*_: object) -> int:
            raise OSError(28, "no space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("tenure.measurement.journal.os.write", full)
            script.run(2)
        assert script.journal.lost == 6
        script.run(2)
        assert kinds(script.read()) == [DamageKind.GAP]


class TestSignsOfLife:
    def test_silence(self, script: Script) -> None:
        script.run(2)
        script.pass_time(10)
        script.mark()
        (damage,) = script.read().damages
        assert (damage.kind, damage.from_ns, damage.to_ns) == (DamageKind.SILENT, 1002 * S, 1012 * S)

    def test_sleep_is_told_from_silence(self, script: Script) -> None:
        script.run(2)
        script.pass_time(600, awake=0.5)
        script.mark()
        assert kinds(script.read()) == [DamageKind.ASLEEP]

    @pytest.mark.parametrize("jump", [3600, -3600, 2, -2])
    def test_a_clock_that_jumps(self, script: Script, jump: float) -> None:
        script.run(2)
        script.pass_time(1, wall=1 + jump)
        script.mark()
        damages = script.read().damages
        assert {damage.kind for damage in damages} == {DamageKind.CLOCK_JUMPED}
        assert f"{jump:+.1f} s" in damages[0].detail
        assert any(damage.touches(1002 * S, 1002 * S) for damage in damages)
        after = round((1003 + jump) * S)
        assert any(damage.touches(after, after) for damage in damages)

    def test_time_lived_twice_is_in_doubt_and_time_leapt_over_is_not_lived(self, script: Script) -> None:
        script.run(3)
        script.pass_time(1, wall=101)
        script.mark()
        script.run(5)
        script.pass_time(1, wall=-99)
        script.mark()
        script.run(20)
        reading = script.read()

        def in_doubt(second: float) -> bool:
            return any(damage.touches(round(second * S), round(second * S)) for damage in reading.damages)

        assert [(first // S, last // S) for first, last in reading.lived_ns] == [
            (1000, 1003),
            (1104, 1109),
            (1010, 1030),
        ]
        assert in_doubt(1003.5)
        assert in_doubt(1107)
        assert not in_doubt(1015)
        assert not in_doubt(1001)

    def test_a_clock_that_is_slewed_is_no_jump(self, script: Script) -> None:
        for _ in range(20):
            script.pass_time(1, wall=1.0005)
            script.mark()
        assert script.read().damages == []

    @pytest.mark.parametrize("pace", [1.2, 0.8])
    def test_one_that_runs_away_bit_by_bit_is_found_once_it_is_half_a_second_off(
        self, script: Script, pace: float
    ) -> None:
        script.run(5)
        for _ in range(2):
            script.pass_time(1, wall=pace)
            script.mark()
        assert script.read().damages == [], "two fifths of a second are within what clocks may differ by"
        script.pass_time(1, wall=pace)
        script.mark()
        (found,) = script.read().damages
        assert found.kind is DamageKind.CLOCK_JUMPED
        assert found.detail == f"the clock ran away by {3 * (pace - 1):+.1f} s"
        assert (found.from_ns, found.to_ns) == (1005 * S, round((1005 + 3 * pace) * S))
        script.run(5)
        assert script.read().damages == [found], "as it is now it keeps pace again"

    def test_requests_open_when_their_tap_died_have_failed(self, script: Script) -> None:
        script.run(1)
        script.start()
        script.restart()
        script.run(1)
        assert [s.outcome for s in script.read().samples["user"]] == [
            Outcome.COMPLETED,
            Outcome.FAILED,
            Outcome.COMPLETED,
        ]

    def test_probes_open_when_their_prober_ended_are_lost_and_not_forgotten(self, script: Script) -> None:
        script.journal.append("sent", {"arrivalNs": script.now["wallNs"], "requestId": "p1"})
        script.run(2)
        script.pass_time(5)
        script.restart()
        script.run(1)
        reading = script.read()
        assert reading.pending_ns == []
        assert reading.lost_ns == [(1000 * S, 1002 * S)]

    def test_who_takes_no_more_of_his_answer_waits_no_longer(self, script: Script) -> None:
        number = script.start()
        script.pass_time(3)
        script.mark([number, 5, S, 2 * S])
        (held,) = script.read().samples["user"]
        assert (held.end_after_ns, held.last_token_after_ns, held.output_tokens) == (2 * S, S, 5)
        script.mark([number, 5, S])
        assert script.read().samples["user"][0].end_after_ns == 3 * S

    def test_marks_tell_how_long_gaps_of_a_running_answer_were_at_the_least(self, script: Script) -> None:
        number = script.start()
        script.mark([number, 0, None])
        script.journal.append("first", {"id": number, "afterNs": S})
        for tokens, newest in ((1, S), (2, 3 * S), (2, 3 * S), (5, 6 * S + 1)):
            script.pass_time(1)
            script.mark([number, tokens, newest])
        (running,) = script.read().samples["user"]
        assert running.gaps_at_least_ns == (2 * S, S + 1), "one of its own, and of three together the longest"
        assert (running.gaps_ns, running.output_tokens, running.last_token_after_ns) == ((), 5, 6 * S + 1)
        script.end(number, running.arrival_ns)
        assert script.read().samples["user"][0].gaps_at_least_ns == (), "its end says them all"

    def test_open_requests_are_as_old_as_the_last_sign(self, script: Script) -> None:
        number = script.start()
        script.pass_time(1)
        script.mark([number, 5, S // 2])
        script.pass_time(1)
        script.mark([number, 5, S // 2])
        (sample,) = script.read().samples["user"]
        assert (sample.outcome, sample.end_after_ns) == (Outcome.UNFINISHED, 2 * S)
        assert sample.last_token_after_ns == S // 2


class TestBounds:
    def test_segments_rotate_and_the_oldest_go(self, tmp_path: Path) -> None:
        script = Script(tmp_path / "j", segment_bytes=4096, retain_bytes=16384)
        script.run(200)
        assert sum(path.stat().st_size for path in script.segments) <= 16384 + 4096
        reading = script.read()
        assert reading.damages == []
        assert 10 < len(reading.samples["user"]) < 200
        assert reading.oldest_ns is not None
        assert reading.oldest_ns > 1000 * S

    def test_late_readings_skip_old_segments(self, tmp_path: Path) -> None:
        script = Script(tmp_path / "j", segment_bytes=4096)
        script.run(300)
        for path in script.segments[:3]:
            path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + b"garbage\n")
        reading = script.read(since_ns=1250 * S)
        assert reading.damages == []
        assert len(reading.of("user", 1250 * S, 1300 * S)) == len(reading.samples["user"]) - 1 == 50

    def test_late_readings_keep_what_was_still_running(self, script: Script) -> None:
        arrived, number = script.now["wallNs"], script.start()
        for _ in range(30):
            script.pass_time(1)
            script.mark()
        assert len(script.read(since_ns=1020 * S).samples["user"]) == 1
        script.end(number, arrived)
        assert script.read(since_ns=1020 * S).samples["user"] == []

    def test_a_missing_segment_in_the_middle_is_a_gap(self, tmp_path: Path) -> None:
        script = Script(tmp_path / "j", segment_bytes=4096)
        script.run(100)
        script.segments[1].unlink()
        assert DamageKind.GAP in kinds(script.read())


@settings(max_examples=150)
@given(st.data())
def test_no_change_of_a_finished_journal_goes_unseen(data: st.DataObject) -> None:
    """Flip a byte, drop a line, swap two, or cut it anywhere: the reading differs from the true one and says why."""
    with tempfile.TemporaryDirectory() as folder:
        script = Script(Path(folder) / "j")
        script.run(6)
        path = script.segments[0]
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        how = data.draw(st.sampled_from(["flip", "drop", "swap", "cut"]))
        if how == "flip":
            at = data.draw(st.integers(0, len(whole) - 1))
            changed = whole[:at] + bytes([whole[at] ^ (1 << data.draw(st.integers(0, 7)))]) + whole[at + 1 :]
        elif how == "drop":
            at = data.draw(st.integers(0, len(lines) - 1))
            changed = b"".join(lines[:at] + lines[at + 1 :])
        elif how == "swap":
            at = data.draw(st.integers(0, len(lines) - 2))
            changed = b"".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]])
        else:
            changed = whole[: data.draw(st.integers(0, len(whole) - 1))]
        path.write_bytes(changed)
        assert script.read().damages != [], (how, json.dumps(changed.decode("utf-8", "replace"))[-300:])
