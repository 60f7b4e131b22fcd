"""The last windows of a contract: each whole one gets a verdict at the end, and leaving one out is still seen.

A contract ends while a window is open. Nothing that is still awaited will come any more, so what could not be settled
is stated as cut by the end, which nobody bears; what was decided by then is decided. Parts of windows are not counted.
"""

from pathlib import Path
from typing import Any

import pytest

from tenure.controllers.contract.checking import Recomputing, owed
from tenure.controllers.contract.counting import counted
from tenure.controllers.contract.credit import COUNTED_BY
from tenure.controllers.contract.ending import _not_counted
from tenure.controllers.contract.judging import as_status, judge_windows
from tenure.controllers.contract.stating import checkpoint_of, state, state_terms
from tenure.evidence import Report, contract_source, export_bundle, verify_bundle
from tenure.promises import Reason, Verdict, View, Window, WindowEvidence, judge
from tenure.quantities import format_instant
from tests.controllers.test_judging import AT_MS, KEPT, NS, Service
from tests.promises.builders import promise, request

CUT = (Verdict.UNVERIFIABLE, Reason.CUT_BY_END)


class Life(Service):
    """A contract from its activation to its end, with the statements that its controllers make."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.home = home
        state_terms(self.plane, self.contract)
        self.note = checkpoint_of(self.plane, self.contract)

    def open_request(self) -> int:
        """A request that nobody has answered yet; its number."""
        number = self.tap.sequence + 1
        self.tap.append("start", {"id": number, "arrivalNs": self.clock.now_ms() * NS, "role": "user"})
        return number

    def broken(self, number: int, arrived_ms: int) -> None:
        """The server went away under a request."""
        head = {"id": number, "arrivalNs": arrived_ms * NS, "role": "user", "how": "failed", "status": 502}
        none: dict[str, Any] = {
            "streamed": True,
            "promptTokens": 40,
            "outputTokens": None,
            "firstNs": None,
            "gapsNs": [],
        }
        self.tap.append("end", head | none | {"endNs": (self.clock.now_ms() - arrived_ms) * NS})

    def say_that_it_ends(self) -> int:
        ended_ms = self.clock.now_ms()
        body = {"because": "EndedByUser", "at": format_instant(ended_ms)}
        state(self.plane, self.contract, "ending", "ending", body)
        return ended_ms

    def settle(self, ended_ms: int, judged_until_ms: int | None = None) -> list[tuple[Verdict, Reason]]:
        """As the controllers do: the processes go, the rest is judged, and what it came to is stated."""
        self.tap.append("close", self.clocks())
        self.standing = judge_windows(self.plane, self.contract, judged_until_ms or ended_ms)
        assert self.standing is not None
        accounts: Any = as_status(self.standing)["accounting"]
        body: dict[str, Any] = {"because": "EndedByUser", "stage": "settled"}
        body["accounting"] = [one.to_json() for one in accounts]
        body |= {"notCounted": _not_counted(self.contract, ended_ms), "countedBy": COUNTED_BY}
        state(self.plane, self.contract, "ending", "settled", body)
        return [(found.verdict, found.reason) for found in self.plane.known.verdicts(self.contract.uid)]

    def verified(self) -> Report:
        """What a stranger finds a second after the end."""
        path = self.home / "bundle.jsonl"
        source, now_ms = contract_source(self.contract.uid), self.clock.now_ms() + 1000
        export_bundle(self.plane.log, path, sources=[source], keys=self.plane.keys, at_ms=now_ms)
        key = self.plane.keys.signing.public
        how: Any = {"recompute": Recomputing(), "owed": owed, "counted": counted}
        return verify_bundle(path, public_key=key, checkpoint=self.note, **how)


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def test_an_ended_contract_verifies_and_its_open_window_is_stated_as_not_counted(life: Life) -> None:
    life.serve(33)
    assert life.settle(life.say_that_it_ends()) == [KEPT] * 3
    report = life.verified()
    assert report.ok, report.failures
    assert report.verifiable
    assert report.complete
    (part,) = _not_counted(life.contract, AT_MS + 33_000)
    assert part == {
        "start": format_instant(AT_MS + 30_000),
        "end": format_instant(AT_MS + 33_000),
        "because": "NoWholeWindow",
    }


def test_a_window_with_an_answer_under_way_is_cut_by_the_end_and_takes_nothing_from_what_was_kept(life: Life) -> None:
    life.serve(29)
    life.clock.advance(960)
    arrived_ms = life.clock.now_ms()
    number = life.open_request()
    life.clock.advance(40)
    ended_ms = life.say_that_it_ends()
    life.clock.advance(500)
    life.broken(number, arrived_ms)
    assert life.settle(ended_ms) == [KEPT, KEPT, CUT]
    assert life.standing is not None
    assert life.standing.verdict == Verdict.KEPT
    report = life.verified()
    assert report.ok, report.failures
    assert report.verifiable


def test_twin_what_had_waited_beyond_its_bound_by_the_end_is_a_breach(life: Life) -> None:
    life.serve(29)
    life.clock.advance(500)
    arrived_ms = life.clock.now_ms()
    numbers = [life.open_request() for _ in range(3)]
    life.clock.advance(500)
    ended_ms = life.say_that_it_ends()
    for number in numbers:
        life.broken(number, arrived_ms)
    assert life.settle(ended_ms)[-1] == (Verdict.BREACHED, Reason.BOUND_EXCEEDED)
    assert life.verified().verifiable


def test_twin_what_failed_before_the_end_has_failed(life: Life) -> None:
    life.serve(28)
    for _ in range(3):
        life.broken(life.open_request(), life.clock.now_ms())
    life.serve(2)
    assert life.settle(life.say_that_it_ends())[-1] == (Verdict.BREACHED, Reason.REQUESTS_FAILED)


def test_twin_a_last_window_that_was_left_out_is_seen_at_once(life: Life) -> None:
    life.serve(33)
    ended_ms = life.say_that_it_ends()
    life.settle(ended_ms, judged_until_ms=AT_MS + 20_000)
    report = life.verified()
    assert report.ok
    assert not report.verifiable
    assert not report.complete
    assert [(gap.start, gap.end) for gap in report.unjudged] == [
        (format_instant(AT_MS + 20_000), format_instant(AT_MS + 30_000))
    ]


def test_twin_a_window_cut_by_an_end_that_was_none_is_named(life: Life) -> None:
    life.serve(19)
    life.clock.advance(960)
    arrived_ms = life.clock.now_ms()
    number = life.open_request()
    life.clock.advance(40)
    pretended_ms = life.clock.now_ms()
    life.tap.append("mark", {**life.clocks(), "inFlight": []})
    judge_windows(life.plane, life.contract, pretended_ms)
    life.clock.advance(300)
    life.broken(number, arrived_ms)
    life.serve(10)
    life.settle(life.say_that_it_ends())
    (failure,) = life.verified().failures
    assert failure.field == "$.predicate.body.detail"
    assert failure.statement_id is not None
    assert failure.statement_id.endswith(f"window/{AT_MS + 10_000}/timeToFirstToken.p95")
    assert f"the contract ended at {format_instant(pretended_ms)}" in failure.message


class TestWhatTheEndExcuses:
    """A view that is awaited when the contract ends: excused where it had time left, and not where its time was up."""

    WINDOW = Window(100_000, 110_000)

    def reason(self, **changes: Any) -> Reason:
        fields: dict[str, Any] = {"asof_ms": 111_000, "tap_asof_ms": 111_000, "ended_ms": 111_000}
        return judge(promise(bound_ms=200), self.WINDOW, WindowEvidence(**{**fields, **changes})).reason

    def test_counters_that_were_still_to_be_read(self) -> None:
        required = frozenset({View.TAP, View.METRICS})
        kept = {"required": required, "requests": (request(101_000, first_ms=150),)}
        assert self.reason(**kept) is Reason.CUT_BY_END
        assert self.reason(**kept, ended_ms=None) is Reason.NOT_SETTLED
        assert self.reason(**kept, ended_ms=120_000, asof_ms=900_000) is Reason.SENSOR_GONE
        assert self.reason(**kept, ended_ms=119_999, asof_ms=900_000) is Reason.CUT_BY_END

    def test_probes_that_were_still_under_way(self) -> None:
        kept = {"requests": (request(101_000, first_ms=150),), "probes_pending": 1}
        assert self.reason(**kept) is Reason.CUT_BY_END
        assert self.reason(**kept, ended_ms=200_000, asof_ms=200_000) is Reason.PROBER_CUT_OFF

    def test_twin_a_tap_that_was_silent_before_the_end_is_not_excused(self) -> None:
        assert self.reason(tap_asof_ms=109_000) is Reason.STALE

    def test_the_record_says_when_it_ended_and_says_nothing_while_it_goes_on(self) -> None:
        for ended_ms in (None, 111_000):
            evidence = WindowEvidence(asof_ms=111_000, tap_asof_ms=111_000, ended_ms=ended_ms)
            record = evidence.as_record()
            assert ("endedMs" in record) is (ended_ms is not None)
            assert WindowEvidence.from_record(record) == evidence
