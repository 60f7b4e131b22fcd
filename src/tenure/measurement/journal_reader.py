"""Reading a tap's journal: the requests in it, and what can and cannot be concluded from it.

The reader repairs nothing. A torn last line is normal while a record is being written; everything else that does not
fit (a chain that breaks, a number that is missing, a head that knows more than the segments) is reported as damage with
the span of time in which records may be missing, so that only the windows it touches become unverifiable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from tenure.measurement.clock_pace import ClockPace
from tenure.measurement.journal import GENESIS, HEAD_NAME, SEGMENT_PATTERN, chain_of, split_line
from tenure.measurement.journal_reading import Checkpoint, Damage, DamageKind, JournalReading
from tenure.measurement.journal_samples import note_progress, sample_of, unended_sample
from tenure.measurement.journal_witness import Witnesses
from tenure.measurement.scrape import Scrape
from tenure.promises import Outcome, RequestSample

__all__ = ["JournalReading", "read_journal", "sample_of"]

_JUMP_NS = 500_000_000
"""Clocks may drift and be slewed by this much between two marks, and in a minute: `clock_pace` says what slews them."""

_FOREVER_NS = 1 << 62

_MARGIN_NS = 60_000_000_000
"""A clock set back by less than this hides no record from a reading that starts later."""


def read_journal(
    folder: Path,
    *,
    since_ns: int = 0,
    mark_ms: int = 1000,
    known: Checkpoint | None = None,
    noted: Sequence[Checkpoint] = (),
) -> JournalReading:
    """Read a journal folder, whether its tap runs or not.

    `since_ns` leaves out requests that had ended earlier (older segments are not even parsed); `known` is a
    checkpoint from an earlier reading, against which the journal is proved not to have been cut or rewritten; `noted`
    are heads that others saw since then, which its records must bear out too.
    An empty or absent folder gives an empty reading: that there is no journal is for the caller to judge.
    """
    # The head is read first: whatever it knows must then be found in the segments, even while the tap writes on.
    promised = _head_sequence(folder / HEAD_NAME)
    reader = _Reader(since_ns, mark_ms, known, noted)
    paths = sorted(folder.glob(SEGMENT_PATTERN)) if folder.is_dir() else []
    for path in paths[_first_relevant(paths, since_ns, known) :]:
        reader.segment(path)
    return reader.finish(promised)


def _first_relevant(paths: list[Path], since_ns: int, known: Checkpoint | None) -> int:
    """Index of the segment to start at: the last that opened before `since_ns` and before the known checkpoint."""
    start = 0
    for at, path in enumerate(paths):
        parts = split_line(next(_lines(path), b""))
        header = _object(parts[0]) if parts else {}
        late = header.get("wallNs", 0) > since_ns - _MARGIN_NS
        beyond = known is not None and header.get("seq", 0) > known.sequence
        if late or beyond:
            break
        start = at
    return start


class _Reader:
    """One pass over the records, in order."""

    def __init__(self, since_ns: int, mark_ms: int, known: Checkpoint | None, noted: Sequence[Checkpoint]) -> None:
        self._since_ns, self._pace_ns, self._known = since_ns, mark_ms * 1_000_000, known
        self._reading = JournalReading(since_ns=since_ns)
        self._sequence: int | None = None
        self._chain = GENESIS
        self._clocks: dict[str, int] | None = None
        self._pace = ClockPace(_JUMP_NS)
        self._closed = False
        self._doubts: list[tuple[DamageKind, str]] = []
        self._open: dict[int, dict[str, Any]] = {}
        self._sent: dict[str, int] = {}
        self._known_chain: str | None = None  # the chain of the record that the caller's checkpoint names
        self._first_sequence = 0
        self._witnesses = Witnesses(noted)

    def segment(self, path: Path) -> None:
        """Read one segment's lines."""
        for line in _lines(path):
            parts = split_line(line)
            record = _object(parts[0]) if parts else {}
            sequence = record.get("seq")
            if parts is None or not isinstance(sequence, int):
                self._reading.torn_bytes += len(line)
                continue
            if self._follows(sequence, parts, record):
                self._take(record)

    def _follows(self, sequence: int, parts: tuple[bytes, str], record: dict[str, Any]) -> bool:
        """Check number and chain against the record before; False for a record that must not be believed."""
        text, chain = parts
        expected = self._chain
        if self._sequence is None:
            # The first record that retention left stands on its header's word for what was before it.
            expected = record.get("previous", GENESIS)
        elif sequence <= self._sequence:
            self._damage(DamageKind.ALTERED, f"record {sequence} comes after record {self._sequence}")
            return False
        elif sequence > self._sequence + 1:
            self._damage(DamageKind.GAP, f"records {self._sequence + 1} to {sequence - 1} are missing")
            expected = record.get("previous", "")
        genuine = chain_of(expected, text) == chain
        if not genuine and expected:
            self._damage(DamageKind.ALTERED, f"record {sequence} does not follow from those before it")
        self._sequence, self._chain = sequence, chain
        self._first_sequence = self._first_sequence or sequence
        if self._known is not None and sequence == self._known.sequence:
            self._known_chain = chain
        self._witnesses.compare(sequence, chain)
        # Behind a gap a record cannot be checked; the gap puts the time around it in doubt anyway.
        return genuine or not expected

    def _take(self, record: dict[str, Any]) -> None:
        kind = record.get("kind")
        fresh = kind == "open" and record.get("reason") == "start"
        if fresh:
            self._orphans()
        if kind in ("mark", "open", "close"):
            self._heard(record, fresh=fresh)
            self._closed = kind == "close"
        elif kind == "start":
            self._open[record["id"]] = dict(record)
        elif kind == "first" and record["id"] in self._open:
            self._open[record["id"]] |= {"firstNs": record["afterNs"], "progressNs": record["afterNs"]}
        elif kind == "end":
            self._open.pop(record["id"], None)
            self._keep(record["role"], sample_of(record))
        elif kind == "sent":
            self._sent[record["requestId"]] = record["arrivalNs"]
        elif kind == "probe":
            sample = RequestSample.from_record(record["sample"])
            self._sent.pop(sample.request_id, None)
            self._keep("probe", sample)
        elif kind == "scrape":
            self._reading.scrapes.append(Scrape.from_record(record))
        elif kind == "skip":
            self._reading.skipped_ns.append(record["arrivalNs"])

    def _heard(self, record: dict[str, Any], *, fresh: bool) -> None:
        """A sign of life with the three clocks: compare with the one before."""
        for number, tokens, progress_ns, *held_ns in record.get("inFlight", ()):
            if number in self._open:
                note_progress(self._open[number], tokens, progress_ns)
                self._open[number]["heldNs"] = held_ns[0] if held_ns else None
        now = {name: record[name] for name in ("wallNs", "monotonicNs", "bootNs")}
        if self._reading.oldest_ns is None:
            self._reading.oldest_ns = now["wallNs"]
        if refused := record.get("refused"):
            self._damage(DamageKind.REFUSED, f"{refused} connections were turned away unread")
        self._settle_doubts(now["wallNs"])
        if self._clocks is None:
            self._reading.lived_ns.append((now["wallNs"], now["wallNs"]))
            self._pace.restart(now["wallNs"], now["bootNs"])
        else:
            self._compare(self._clocks, now, fresh=fresh)
        self._clocks = now
        self._reading.newest_ns = now["wallNs"]
        self._reading.arriving_ns = list(record.get("arriving", ()))
        if (witnessed := record.get("witnessed")) is not None:
            self._reading.witnessed.append(Checkpoint(witnessed[0], witnessed[1], now["wallNs"]))

    def _compare(self, before: dict[str, int], now: dict[str, int], *, fresh: bool) -> None:
        first, last = before["wallNs"], now["wallNs"]
        wall, awake, boot = (now[name] - before[name] for name in ("wallNs", "monotonicNs", "bootNs"))
        if fresh:
            # A new process, perhaps after a new boot: only the wall clock can be compared.
            self._pace.restart(last, now["bootNs"])
            self._found(DamageKind.SILENT, min(first, last), max(first, last), "its process was started anew")
        elif abs(wall - boot) > _JUMP_NS:
            self._pace.restart(last, now["bootNs"])
            self._jumped(first, last, boot, wall - boot)
            return
        else:
            if boot - awake > _JUMP_NS:
                self._found(DamageKind.ASLEEP, first, last, f"the machine slept for {(boot - awake) / 1e9:.1f} s")
            if awake > 3 * self._pace_ns + _JUMP_NS:
                self._found(DamageKind.SILENT, first, last, f"no sign of life for {awake / 1e9:.1f} s")
            if (ran := self._pace.heard(last, now["bootNs"])) is not None:
                detail = f"the clock ran away by {ran[1] / 1e9:+.1f} s"
                self._found(DamageKind.CLOCK_JUMPED, min(ran[0], last), max(ran[0], last), detail)
        start = self._reading.lived_ns.pop()[0] if self._reading.lived_ns else first
        self._reading.lived_ns.append((min(start, last), max(start, last)))

    def _jumped(self, first: int, last: int, passed: int, jump: int) -> None:
        """The wall clock was set between two marks. In doubt are the time just before by the old clock, the time just
        after by the new one, and, after a jump back, all time that is now lived for the second time."""
        detail = f"the clock jumped by {jump / 1e9:+.1f} s"
        self._found(DamageKind.CLOCK_JUMPED, first, first + passed, detail)
        self._found(DamageKind.CLOCK_JUMPED, last - passed, last, detail)
        for start, end in self._reading.lived_ns:
            if end > last - passed:
                self._found(DamageKind.CLOCK_JUMPED, max(start, last - passed), end + passed, detail)
        self._reading.lived_ns.append((last, last))

    def _found(self, kind: DamageKind, from_ns: int, to_ns: int, detail: str) -> None:
        self._reading.damages.append(Damage(kind, from_ns, to_ns, detail))

    def _orphans(self) -> None:
        """Requests open when their tap died: their connections died with it. Probes open when their prober died: what
        became of them will never be known, so no window in which they waited may be called good."""
        for record in self._open.values():
            self._keep(record["role"], unended_sample(record, Outcome.FAILED, None))
        self._open.clear()
        heard_ns = self._reading.newest_ns or 0
        self._reading.lost_ns += [(sent_ns, max(sent_ns, heard_ns)) for sent_ns in self._sent.values()]
        self._sent.clear()

    def _keep(self, role: str, sample: RequestSample) -> None:
        ended_ns = sample.arrival_ns + (sample.end_after_ns or 0)
        if sample.outcome is Outcome.UNFINISHED or ended_ns >= self._since_ns:
            self._reading.samples.setdefault(role, []).append(sample)

    def _damage(self, kind: DamageKind, detail: str) -> None:
        """Records are missing or wrong: all from the last sign of life to the next is in doubt."""
        self._doubts.append((kind, detail))

    def _settle_doubts(self, until_ns: int) -> None:
        since_ns = self._reading.newest_ns or 0
        for kind, detail in self._doubts:
            self._reading.damages.append(Damage(kind, min(since_ns, until_ns), max(since_ns, until_ns), detail))
        self._doubts.clear()

    def finish(self, promised: int) -> JournalReading:
        """Close the books: what is still open, and whether anything is missing at the end."""
        reading = self._reading
        self._settle_doubts(_FOREVER_NS)
        for record in self._open.values():
            asof_ns = None if reading.newest_ns is None else max(0, reading.newest_ns - record["arrivalNs"])
            if asof_ns is not None and record.get("heldNs") is not None:
                asof_ns = min(asof_ns, record["heldNs"])  # Since then it waits for its user, not its user for it.
            self._keep(record["role"], unended_sample(record, Outcome.UNFINISHED, asof_ns))
        reading.pending_ns = sorted(self._sent.values())
        for samples in reading.samples.values():
            samples.sort(key=lambda sample: sample.arrival_ns)
        if self._sequence is not None:
            reading.newest = Checkpoint(self._sequence, self._chain, reading.newest_ns or 0)
        missing = promised - (self._sequence or 0)
        if missing > 0:
            detail = f"{missing} records at the end are missing"
            reading.damages.append(Damage(DamageKind.TRUNCATED, reading.newest_ns or 0, _FOREVER_NS, detail))
        disowned = self._disowned(self._known) if self._known is not None else None
        disowned = disowned or self._witnesses.contradiction(self._sequence or 0, self._since_ns, _FOREVER_NS)
        if disowned is not None:
            reading.disowned = disowned
            reading.damages.append(disowned)
        return reading

    def _disowned(self, known: Checkpoint) -> Damage | None:
        """What is in doubt where the record that was seen before is not in this journal any more: all of it till now,
        because whoever changed what was before it may have written what comes after."""
        if known.sequence == 0 or self._known_chain == known.chain:
            return None
        if self._known_chain is not None:
            detail = f"record {known.sequence} is not the one that was seen before"
            return Damage(DamageKind.ALTERED, self._since_ns, _FOREVER_NS, detail)
        if self._first_sequence > known.sequence:
            # Retention may have passed it; then what was before it is gone, and nothing may claim to be from there.
            detail = f"record {known.sequence}, which was seen before, is no longer kept"
            return Damage(DamageKind.TRUNCATED, self._since_ns, known.at_ns, detail)
        detail = f"record {known.sequence}, which was seen before, is gone"
        return Damage(DamageKind.TRUNCATED, self._since_ns, _FOREVER_NS, detail)


def _lines(path: Path) -> Iterator[bytes]:
    """Lines of a segment; one that retention deletes meanwhile has none."""
    try:
        with path.open("rb") as file:
            yield from file
    except FileNotFoundError:
        return


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = from_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _head_sequence(path: Path) -> int:
    """The newest number that was ever written, as far as the head knows."""
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
