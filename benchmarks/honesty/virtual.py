"""The virtual part: real journals under virtual clocks, judged window by window as a controller would."""

from __future__ import annotations

import random
import tempfile
from bisect import bisect_left, bisect_right
from collections import deque
from itertools import accumulate
from pathlib import Path

from benchmarks.honesty.aims import FIRST_TOKEN, WINDOW_MS, Aim
from benchmarks.honesty.episodes import Said, note_episode
from benchmarks.honesty.faults import LYING, LYING_ABOUT_GAPS, Kind
from benchmarks.honesty.row import Row, unprobed_windows_max
from benchmarks.honesty.virtual_truth import count, truly_bad
from benchmarks.honesty.world import (
    OUTPUT_TOKENS,
    PROMPT_TOKENS,
    START_NS,
    Episode,
    S,
    Truth,
    arrivals,
    episodes,
    serve,
)
from tenure.measurement import Declared, JournalWriter, gather, read_journal
from tenure.measurement.scrape import Scrape
from tenure.promises import (
    Outcome,
    RequestSample,
    Window,
    WindowVerdict,
    judge,
)

OFFERED_PER_S = 1.2
PROBES_PER_S = 0.25
NETWORK_NS = 400_000
LOOKS_MAX = 6
"""So often a window that is not settled is looked at again, once a window."""


class Simulation:
    """One kind, from its first window to its last."""

    def __init__(self, kind: Kind, windows: int, seed: int, folder: Path, aim: Aim) -> None:
        self.kind, self.folder, self.aim = kind, folder, aim
        self.source = random.Random(seed)
        self.end_ns = START_NS + windows * WINDOW_MS * 1_000_000
        span = WINDOW_MS * 1_000_000
        self.service = episodes(self.source, kind.service, windows, span, every=12, length=3.3)
        self.sensor = episodes(self.source, kind.sensor, windows, span, every=9, length=2.6)
        users = [(at, "user") for at in arrivals(self.source, OFFERED_PER_S, START_NS, self.end_ns, self.service)]
        probes = [(at, "prober") for at in arrivals(self.source, PROBES_PER_S, START_NS, self.end_ns, [])]
        if kind.sensor == "prober-killed":
            probes = [(at, role) for at, role in probes if not self._faulty(at)]
        self.truths = serve(self.source, sorted(users + probes), self.service)
        answered = sorted(
            (t.end_ns, sum(t.gaps_ns)) for t in self.truths if t.end_ns is not None and t.how == "answered"
        )
        self._ends_ns = [end_ns for end_ns, _ in answered]
        self._spoken_ns = list(accumulate((spoken_ns for _, spoken_ns in answered), initial=0))
        self.now_ns = START_NS
        self.clock_offset_ns = self.slept_ns = 0
        self.scrapes: list[Scrape] = []
        self._open: dict[int, Truth] = {}
        self._tap_down = False
        self._tap = self._new_tap()
        self._prober: JournalWriter | None = self._new_prober()
        self._scrape()

    def _faulty(self, at_ns: int) -> bool:
        return any(e.start_ns <= at_ns < e.end_ns for e in self.sensor)

    def clocks(self) -> dict[str, int]:
        """The tap's clocks, as faults leave them."""
        boot = self.now_ns
        return {"wallNs": self._wall(self.now_ns), "monotonicNs": boot - self.slept_ns, "bootNs": boot}

    def _wall(self, at_ns: int) -> int:
        if self.kind.sensor == "tap-drifting":
            return self._run_away(at_ns)
        if self.kind.sensor == "clock-jumping" and self._faulty(at_ns):
            return at_ns + 3600 * S
        return at_ns

    def _run_away(self, at_ns: int) -> int:
        """A clock that gains a fifth of a second every second, and is set right again when the episode ends."""
        began_ns = next((e.start_ns for e in self.sensor if e.start_ns <= at_ns < e.end_ns), at_ns)
        return at_ns + (at_ns - began_ns) // 5

    def _prober_wall(self, at_ns: int) -> int:
        """The clock of the prober, which reads the workload's metrics as well."""
        return self._run_away(at_ns) if self.kind.sensor == "prober-drifting" else at_ns

    def _prober_clocks(self) -> dict[str, int]:
        return dict.fromkeys(("monotonicNs", "bootNs"), self.now_ns) | {"wallNs": self._prober_wall(self.now_ns)}

    def _new_tap(self) -> JournalWriter:
        return JournalWriter(self.folder / "tap", segment_bytes=32768, read_clocks=self.clocks)

    def _new_prober(self) -> JournalWriter:
        return JournalWriter(self.folder / "prober", segment_bytes=32768, read_clocks=self._prober_clocks)

    def events(self) -> list[tuple[int, str, Truth | None]]:
        """All that happens, in order of time."""
        found: list[tuple[int, str, Truth | None]] = []
        for truth in self.truths:
            arrived = truth.arrival_ns + NETWORK_NS // 2
            found.append((arrived, "start", truth))
            if truth.first_ns is not None and truth.first_ns < (truth.end_ns or 0):
                found.append((truth.first_ns, "first", truth))
            found.append((truth.end_ns or arrived, "end", truth))
        found += [(at, "mark", None) for at in range(START_NS + S, self.end_ns + 8 * S, S)]
        for episode in self.sensor:
            found += [(episode.start_ns, "fault", None), (episode.end_ns, "mend", None)]
        step = WINDOW_MS * 1_000_000
        found += [(at + S // 5, "judge", None) for at in range(START_NS + step, self.end_ns + 2 * step, step)]
        return sorted(found, key=lambda event: (event[0], event[1]))

    def happen(self, at_ns: int, what: str, truth: Truth | None) -> None:
        """Let one event leave its marks in the journals."""
        self.now_ns = at_ns
        sensor = self.kind.sensor
        asleep = sensor == "asleep" and self._faulty(at_ns)
        if what == "fault" and sensor == "tap-killed":
            self._tap_down, self._open = True, {}
        elif what == "mend" and sensor == "tap-killed":
            self._tap_down, self._tap = False, self._new_tap()
        elif what == "fault" and sensor == "prober-killed":
            self._prober = None
        elif what == "mend" and sensor == "prober-killed":
            self._prober = self._new_prober()
        elif what == "mend" and sensor == "asleep":
            episode = next(e for e in self.sensor if e.end_ns == at_ns)
            self.slept_ns += episode.end_ns - episode.start_ns
        elif what in ("fault", "mend"):
            self._cut_or_edit(what)
        elif what == "mark" and not asleep:
            self._mark()
        elif truth is not None and (not asleep or (what == "end" and truth.role == "prober")):
            self._request(what, truth)

    def _cut_or_edit(self, what: str) -> None:
        paths = sorted((self.folder / "tap").glob("journal-*.jsonl"))
        lines = paths[-1].read_bytes().splitlines(keepends=True)
        if self.kind.sensor == "journal-truncated" and what == "mend" and len(lines) > 12:
            paths[-1].write_bytes(b"".join(lines[:-9]))
        elif self.kind.sensor == "journal-edited" and what == "mend":
            edited = [
                line.replace(b'"firstNs":', b'"firstNs":1') if b'"kind":"end"' in line else line for line in lines
            ]
            paths[-1].write_bytes(b"".join(edited))

    def _mark(self) -> None:
        if not self._tap_down:
            flying = [
                [t.number, 1, None if t.first_ns is None or t.first_ns > self.now_ns else self._newest(t)]
                for t in self._open.values()
            ]
            self._tap.append("mark", self.clocks() | {"inFlight": flying})
        if self._prober is not None:
            self._prober.append("mark", self._prober_clocks())
        self._scrape()

    def _scrape(self) -> None:
        sensor, faulty = self.kind.sensor, self._faulty(self.now_ns)
        done = bisect_right(self._ends_ns, self.now_ns)
        tokens = float(done * OUTPUT_TOKENS)
        seconds = self._spoken_ns[done] / 1e9
        if faulty and sensor == "metrics-gone":
            return
        if faulty and sensor == "metrics-frozen" and self.scrapes:
            tokens, seconds = self.scrapes[-1].output_tokens or 0.0, self.scrapes[-1].output_seconds or 0.0
        elif faulty and sensor == "metrics-replayed" and self.scrapes:
            old = self.scrapes[max(0, len(self.scrapes) - 1 - self.source.randrange(20))]
            tokens, seconds = old.output_tokens or 0.0, old.output_seconds or 0.0
        elif sensor == "metrics-lying":
            ends = self._ends_ns[:done]
            lies = sum(bisect_left(ends, e.end_ns) - bisect_left(ends, e.start_ns) for e in self.sensor)
            tokens += lies * OUTPUT_TOKENS
        self.scrapes.append(Scrape(self._prober_wall(self.now_ns), tokens, seconds, None, None))
        del self.scrapes[:-60]

    def _request(self, what: str, truth: Truth) -> None:
        unreachable = truth.role == "prober" and self.kind.sensor == "prober-unreachable"
        if not self._tap_down and not (unreachable and self._faulty(truth.arrival_ns)):
            self._tap_writes(what, truth)
        if what == "start" and truth.role == "prober" and self._prober is not None:
            sent_ns = self._prober_wall(truth.arrival_ns)
            self._prober.append("sent", {"arrivalNs": sent_ns, "requestId": f"r{truth.number}"})
        if what == "end" and truth.role == "prober" and self._prober is not None:
            self._prober.append("probe", {"sample": self._outside(truth).as_record()})

    def _newest(self, truth: Truth) -> int:
        """When the newest token came, after arrival. Who lies about gaps lies about the open one, too."""
        lying = self.kind.sensor == LYING_ABOUT_GAPS and self._faulty(truth.arrival_ns)
        return (self.now_ns if lying else truth.newest_ns(self.now_ns)) - truth.arrival_ns - NETWORK_NS // 2

    def _tap_writes(self, what: str, truth: Truth) -> None:
        arrived = truth.arrival_ns + NETWORK_NS // 2
        lying = self.kind.sensor if self._faulty(truth.arrival_ns) else ""
        factor = 4 if lying == LYING else 1
        gaps_factor = 4 if lying in (LYING, LYING_ABOUT_GAPS) else 1
        if what == "start":
            self._open[truth.number] = truth
            fields = {"id": truth.number, "arrivalNs": self._wall(arrived), "role": truth.role}
            self._tap.append("start", fields | {"requestId": f"r{truth.number}"})
        elif truth.number not in self._open:
            return
        elif what == "first":
            self._tap.append("first", {"id": truth.number, "afterNs": (self.now_ns - arrived) // factor})
        else:
            del self._open[truth.number]
            first = None if truth.first_ns is None else (truth.first_ns - arrived) // factor
            spoken_ns = self.now_ns - (truth.first_ns or arrived)
            self._tap.append(
                "end",
                {
                    "id": truth.number,
                    "arrivalNs": self._wall(arrived),
                    "role": truth.role,
                    "status": 502 if truth.failed else 200,
                    "how": truth.how,
                    "streamed": True,
                    "firstNs": first,
                    "gapsNs": [gap // gaps_factor for gap in truth.gaps_ns],
                    "endNs": (first or 0) + spoken_ns // gaps_factor,
                    "promptTokens": PROMPT_TOKENS,
                    "outputTokens": OUTPUT_TOKENS if truth.how == "answered" else 0,
                    "requestId": f"r{truth.number}",
                },
            )

    def _outside(self, truth: Truth) -> RequestSample:
        cut = self.kind.sensor == "prober-unreachable" and self._faulty(truth.arrival_ns)
        cut = cut or (self.kind.sensor == "tap-killed" and self._faulty(truth.arrival_ns))
        failed = truth.failed or cut
        first = None if failed or truth.first_ns is None else truth.first_ns - truth.arrival_ns + NETWORK_NS // 2
        return RequestSample(
            arrival_ns=self._prober_wall(truth.arrival_ns),
            first_token_after_ns=first,
            gaps_ns=() if failed else tuple(truth.gaps_ns),
            end_after_ns=(truth.end_ns or 0) - truth.arrival_ns,
            prompt_tokens=PROMPT_TOKENS,
            output_tokens=None if failed else OUTPUT_TOKENS,
            status=0 if cut else 502 if truth.failed else 200,
            outcome=Outcome.FAILED if failed else Outcome.COMPLETED,
            request_id=f"r{truth.number}",
            end_by_kernel=not failed,
        )

    def judge(self, window: Window) -> WindowVerdict:
        """What a controller would say of a window now."""
        back_ns = (window.start_ms - 4 * WINDOW_MS) * 1_000_000
        declared = Declared(self.kind.views, PROBES_PER_S)
        tap = read_journal(self.folder / "tap", since_ns=back_ns)
        prober = read_journal(self.folder / "prober", since_ns=back_ns)
        evidence = gather(window, self.now_ns // 1_000_000, tap, declared=declared, prober=prober, scrapes=self.scrapes)
        return judge(self.aim.promise, window, evidence)


def run(kind: Kind, windows: int, seed: int, aim: Aim = FIRST_TOKEN) -> Row:
    """All windows of a kind against the truth, judged by one promise."""
    row = Row(kind.name, unprobed_windows_max=unprobed_windows_max(PROBES_PER_S, WINDOW_MS))
    with tempfile.TemporaryDirectory() as folder:
        world = Simulation(kind, windows, seed, Path(folder), aim)
        pending: deque[tuple[Window, int]] = deque()
        said: dict[int, Said] = {}
        for at_ns, what, truth in world.events():
            if what != "judge":
                world.happen(at_ns, what, truth)
                continue
            world.now_ns = at_ns
            end_ms = at_ns // 1_000_000 // WINDOW_MS * WINDOW_MS
            if end_ms <= world.end_ns // 1_000_000:
                pending.append((Window(end_ms - WINDOW_MS, end_ms), 0))
            for _ in range(len(pending)):
                window, looks = pending.popleft()
                verdict = world.judge(window)
                said[window.start_ms] = Said(verdict, at_ns // 1_000_000 if verdict.settled else None)
                if not verdict.settled and looks < LOOKS_MAX:
                    pending.append((window, looks + 1))
        for start_ms, one in sorted(said.items()):
            count(row, world, Window(start_ms, start_ms + WINDOW_MS), one.verdict)
        for episode in world.service:
            starts = [s for s in sorted(said) if _overlaps(s, episode)]
            assurance = world.aim.promise.assurance
            note_episode(row, starts, said, lambda s: truly_bad(world, Window(s, s + WINDOW_MS)), assurance)
    return row


def _overlaps(start_ms: int, episode: Episode) -> bool:
    return (start_ms + WINDOW_MS) * 1_000_000 > episode.start_ns and start_ms * 1_000_000 < episode.end_ns
