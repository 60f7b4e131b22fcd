"""Ready is shown on evidence younger than a window, and on nothing else."""

from typing import Any

import pytest

from tenure.controllers.contract.judging import Standing, judge_windows
from tenure.controllers.contract.readiness import ready_condition
from tenure.quantities import Duration
from tenure.resources import Contract
from tests.controllers.test_judging import AT_MS, Service


class Watched(Service):
    """A contract commissioned just before it was signed, in windows of any length."""

    def __init__(self, home: Any, window_ms: int = 10_000) -> None:
        super().__init__(home)
        self.window_ms = window_ms
        wire = self.contract.to_json()
        wire["spec"]["promises"]["statistical"][0]["window"] = str(Duration(window_ms * 1_000_000))
        wire["status"]["commissioning"] = {
            "startedAt": "2027-01-15T07:59:00Z",
            "finishedAt": "2027-01-15T08:00:00Z",
            "holds": True,
        }
        self.contract = Contract.model_validate(wire)

    def look(self) -> Standing:
        found = judge_windows(self.plane, self.contract)
        assert found is not None
        return found

    def says(self) -> tuple[str, str]:
        found = ready_condition(self.look(), self.plane.clock)
        return found.status, found.reason


@pytest.fixture
def service(tmp_path: Any) -> Watched:
    return Watched(tmp_path)


def test_until_its_first_window_is_over_it_rests_on_its_commissioning_and_says_so(service: Watched) -> None:
    service.serve(9)
    assert service.says() == ("True", "Commissioned")
    service.serve(2)
    assert service.says() == ("True", "Kept")


def test_commissioning_carries_it_for_one_window(service: Watched) -> None:
    service.clock.advance(9_000)
    assert service.says() == ("True", "Commissioned")
    service.clock.advance(2_000)
    assert service.says()[0] == "Unknown"


def test_a_tap_that_is_gone_from_the_start_is_not_ready_though_it_was_commissioned(service: Watched) -> None:
    service.serve(1)
    service.clock.advance(18_000)
    assert service.says()[0] == "Unknown"


def test_a_kept_window_and_a_tap_that_is_heard_are_fresh_while_the_next_is_judged(service: Watched) -> None:
    service.serve(21)
    assert service.says() == ("True", "Kept")
    service.serve(9)
    assert service.says() == ("True", "Kept")


def test_a_tap_that_falls_silent_ends_it_within_a_window_of_its_last_word(service: Watched) -> None:
    service.serve(12)
    assert service.says() == ("True", "Kept")
    service.clock.advance(10_000)
    assert service.says() == ("True", "Kept"), "heard ten seconds ago"
    service.clock.advance(500)
    assert service.says()[0] == "Unknown"


def test_the_evidence_is_as_old_as_the_taps_newest_word(service: Watched) -> None:
    service.serve(14)
    service.clock.advance(700)
    assert service.look().evidence_ms == AT_MS + 14_000


def test_short_windows_stay_ready_from_look_to_look_on_a_tap_that_is_heard(tmp_path: Any) -> None:
    service = Watched(tmp_path, window_ms=1_000)
    said, ages_ms = [], []
    for _ in range(20):
        service.ask(50)
        for _ in range(4):  # looks come four times a window, marks twice
            service.clock.advance(250)
            if service.plane.clock.now_ms() % 500 == 0:
                service.tap.append("mark", {**service.clocks(), "inFlight": []})
            said.append(service.says())
            ages_ms.append(service.plane.clock.now_ms() - (service.look().evidence_ms or 0))
    assert set(said[:3]) == {("True", "Commissioned")}
    assert set(said[4:]) == {("True", "Kept")}
    assert max(ages_ms[4:]) <= 500


def test_a_short_window_that_cannot_be_judged_in_time_leaves_nothing_to_rest_on(tmp_path: Any) -> None:
    service = Watched(tmp_path, window_ms=1_000)
    service.ask(50)
    service.serve(1)
    assert service.says() == ("True", "Kept")
    for _ in range(3):
        service.clock.advance(1_000)
        service.tap.append("mark", {**service.clocks(), "inFlight": []})
    assert service.says()[0] == "Unknown", "the tap is heard, and nobody asked anything: no window is kept"
