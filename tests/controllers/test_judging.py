"""Windows are judged from journals that were written while nobody watched, and from no others."""

import json
import shutil
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tenure.controllers.contract.judging import RECENT_PER_PROMISE, as_status, judge_windows, run_folder
from tenure.controllers.plane import Plane
from tenure.evidence import EvidenceLog, KeyRing
from tenure.measurement import JournalWriter
from tenure.measurement.journal import HEAD_NAME, chain_of
from tenure.measurement.periods import Periods
from tenure.measurement.store import MeasurementStore
from tenure.promises import Reason, Verdict
from tenure.quantities import VirtualClock
from tenure.resources import Contract
from tenure.resources.kinds.standing import Accounting
from tests.cli.answers import contract_object

AT_MS = 1_800_000_000_000
WINDOW_MS = 10_000
NS = 1_000_000
FIRST_TOKEN = {"metric": "timeToFirstToken", "percentile": "p95", "bound": "100ms"}
ANSWERED = {"metric": "availability", "answered": "0.9", "window": "1s"}


def a_contract(objective: dict[str, str] = FIRST_TOKEN) -> Contract:
    """Active since AT_MS: one objective, at most a request a second, windows of ten seconds where it names none."""
    found = contract_object("chat", "default", "chat", phase="Active")
    wire = found.to_json()
    load = {"requestsPerSecond": "1", "promptTokens": 40, "outputTokens": 3}
    evidence = {
        "grade": "measured-here",
        "method": "by-windows",
        "windows": 22,
        "samples": 220,
        "neighbours": "quiet",
        "hardwareClass": "hw",
        "runtime": "llamacpp 1",
        "measuredAt": "2026-01-01T00:00:00Z",
        "load": load,
    }
    promise = {
        "window": "10s",
        **objective,
        "share": "0.9",
        "confidence": "0.9",
        "evidence": evidence,
    }
    wire["metadata"]["uid"] = "c-1"
    wire["spec"]["term"] |= {"start": "2027-01-15T08:00:00Z", "end": "2027-01-15T08:10:00Z"}
    wire["spec"]["promises"] = {"load": load, "statistical": [promise]}
    wire["status"] = {
        "phase": "Active",
        "signature": {"keyId": "k", "signedAt": "2027-01-15T08:00:00Z", "envelope": {}},
    }
    return Contract.model_validate(wire)


class Service:
    """A control plane's stores, and a tap beside the run that goes on without it."""

    def __init__(self, home: Any) -> None:
        self.clock = VirtualClock(AT_MS)
        keys = KeyRing.open(home / "keys", clock=self.clock)
        known = MeasurementStore(home / "measurements.db")
        log = EvidenceLog.open_for_writing(home / "evidence", keys=keys, clock=self.clock)
        stores = {"clock": self.clock, "known": known, "keys": keys, "log": log, "periods": Periods(known)}
        self.plane = cast(Plane, SimpleNamespace(home=home, simulated=False, **stores))
        self.contract = a_contract()
        self.folder = run_folder(self.plane, self.contract) / "journal"
        self.tap = JournalWriter(self.folder, read_clocks=self.clocks)

    def clocks(self) -> dict[str, int]:
        now_ns = self.clock.now_ms() * NS
        return {"wallNs": now_ns, "monotonicNs": now_ns, "bootNs": now_ns}

    def serve(self, seconds: int, first_token_ms: int = 50, status: int = 200) -> None:
        """A request every two seconds, a mark every second."""
        for second in range(seconds):
            if second % 2:
                self.ask(first_token_ms, status)
            self.clock.advance(1000)
            self.tap.append("mark", {**self.clocks(), "inFlight": []})

    def ask(self, first_token_ms: int, status: int = 200) -> None:
        number = self.tap.sequence + 1
        head = {"id": number, "arrivalNs": self.clock.now_ms() * NS, "role": "user"}
        self.tap.append("start", head)
        ended = {"status": status, "how": "answered", "streamed": True, "promptTokens": 40, "outputTokens": 3}
        timing = {"firstNs": first_token_ms * NS, "gapsNs": [NS, NS], "endNs": (first_token_ms + 2) * NS}
        self.tap.append("end", head | ended | timing)

    def judge(self) -> list[tuple[Verdict, Reason]]:
        """Look at what is new; every verdict so far, in order of time."""
        judge_windows(self.plane, self.contract)
        return [(found.verdict, found.reason) for found in self.plane.known.verdicts(self.contract.uid)]


@pytest.fixture
def service(tmp_path: Any) -> Service:
    return Service(tmp_path)


KEPT = (Verdict.KEPT, Reason.WITHIN_BOUND)
DAMAGED = (Verdict.UNVERIFIABLE, Reason.JOURNAL_DAMAGED)
BREACHED = (Verdict.BREACHED, Reason.BOUND_EXCEEDED)


def test_windows_that_passed_while_nobody_watched_are_judged_afterwards(service: Service) -> None:
    service.serve(21)
    assert service.judge() == [KEPT, KEPT]
    service.serve(19, first_token_ms=300)
    service.serve(11)
    assert service.judge() == [KEPT, KEPT, BREACHED, BREACHED, KEPT]


def test_the_status_counts_broken_windows_apart_from_those_that_nobody_can_judge(service: Service) -> None:
    service.serve(10)
    service.serve(10, first_token_ms=300)
    for _ in range(11):  # nobody asks
        service.clock.advance(1000)
        service.tap.append("mark", {**service.clocks(), "inFlight": []})
    standing = judge_windows(service.plane, service.contract)
    assert standing is not None
    (counts,) = cast(list[Accounting], as_status(standing)["accounting"])
    assert (counts.windows, counts.kept, counts.breached, counts.unverifiable) == (3, 1, 1, 1)


def test_a_queue_that_keeps_windows_open_hides_no_broken_window_from_the_burn_rates(service: Service) -> None:
    """Forty windows in which somebody waits, behind six that were broken: what is settled burns the budget."""
    service.contract = a_contract(ANSWERED)
    service.serve(12, status=503)
    waiting: list[int] = []
    for _ in range(RECENT_PER_PROMISE + 1):
        waiting.append(service.tap.sequence + 1)
        service.tap.append("start", {"id": waiting[-1], "arrivalNs": service.clock.now_ms() * NS, "role": "user"})
        service.clock.advance(1000)
        service.tap.append("mark", {**service.clocks(), "inFlight": [(number, 0, 0) for number in waiting]})
    standing = judge_windows(service.plane, service.contract)
    assert standing is not None
    assert standing.newest
    assert not any(verdict.settled for verdict in standing.newest), "what is shown is the newest, open or not"
    broken = [v for v in standing.recent if v.verdict is Verdict.BREACHED]
    assert {v.reason for v in broken} == {Reason.REQUESTS_FAILED}
    [(_, account)] = standing.accounts
    assert account.breached == len(broken) == 6
    assert standing.remedy_due


def rewritten(service: Service, since: int) -> None:
    """Make all first tokens from record `since` on fast, number and chain everything as a tap would."""
    (segment,) = service.folder.glob("journal-*.jsonl")
    chain, lines = "", []
    for line in segment.read_bytes().splitlines():
        text, _, old = line.rpartition(b"\t")
        record = json.loads(text)
        if record["seq"] < since:
            chain = old.decode()
            lines.append(line + b"\n")
            continue
        if record["kind"] == "end":
            record["firstNs"] = 20 * NS
        text = json.dumps(record, separators=(",", ":")).encode()
        chain = chain_of(chain, text)
        lines.append(text + b"\t" + chain.encode() + b"\n")
    segment.write_bytes(b"".join(lines))
    (service.folder / HEAD_NAME).write_text(f"{len(lines)} {chain}\n")


def test_a_journal_rewritten_behind_what_was_read_makes_windows_unverifiable_never_kept(service: Service) -> None:
    service.serve(21)
    assert service.judge() == [KEPT, KEPT]
    service.serve(20, first_token_ms=300)
    rewritten(service, since=2)
    assert service.judge() == [KEPT, KEPT, DAMAGED, DAMAGED]


def test_the_window_that_is_under_way_stays_in_doubt_and_the_next_is_judged_again(service: Service) -> None:
    service.serve(21)
    service.judge()
    service.serve(20, first_token_ms=300)
    rewritten(service, since=2)
    service.judge()
    service.tap = JournalWriter(service.folder, read_clocks=service.clocks)  # a tap that is started on what is there
    service.serve(30)
    assert service.judge()[-3:] == [DAMAGED, KEPT, KEPT]


def test_a_journal_cut_behind_what_was_read_is_missed_with_its_head(service: Service) -> None:
    service.serve(25)
    assert service.judge() == [KEPT, KEPT]
    (segment,) = service.folder.glob("journal-*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:-6]))
    (service.folder / HEAD_NAME).unlink()
    service.clock.advance(30_000)
    assert service.judge() == [KEPT, KEPT, DAMAGED, DAMAGED, DAMAGED]


def test_a_journal_that_was_made_anew_is_not_the_one_that_was_read(service: Service) -> None:
    service.serve(21)
    service.judge()
    service.serve(10, first_token_ms=300)
    shutil.rmtree(service.folder)
    service.clock.jump(-10_000)  # whoever makes it anew can say any time
    service.tap = JournalWriter(service.folder, read_clocks=service.clocks)
    service.serve(12)
    assert service.judge()[2:] == [DAMAGED]
