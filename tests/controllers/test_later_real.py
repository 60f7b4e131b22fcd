"""An offer for later, accepted behind a contract that fills the machine: its work starts when it was promised to.

Just then and no earlier: what ran before is gone, and no core is held twice at any instant.
"""

from typing import Any

import pytest

from tenure.controllers.workload.occupied import STOP_MARGIN_MS
from tenure.quantities import parse_instant
from tests.controllers.test_terms_real import ON_TIME_MS, alive, contract, nothing_is_left, recount
from tests.requirements.home import House
from tests.requirements.served import until

pytestmark = pytest.mark.real

FIRST_SECONDS, SECOND_SECONDS = 20, 20
"""The second is asked for and offered while the first runs; on a slow machine both take seconds."""
CONTRACT_NOT_RUNNING = "ContractNotRunning"
"""Said of work that ended between two looks: it holds too much, and nobody holds it twice."""


def cores(home: House) -> list[int]:
    """All that this machine sells."""
    found: list[int] = home.must("get", "machines", "-o", "json").json["items"][0]["status"]["sellableCores"]
    return found


def request(home: House, name: str, seconds: int) -> dict[str, Any]:
    """A command that wants the whole machine for so long, and takes what it is offered; its contract."""
    need = home.command(name, extra=f"  resources: {{cores: {len(cores(home))}}}\n").read_text()
    path = home.manifest(name, need.replace("10m", f"{seconds}s"))
    made: dict[str, Any] = home.must("request", "-f", path, "--accept", "any", "-o", "json").json["contract"]
    return made


def doubts(home: House) -> list[dict[str, Any]]:
    """What the recount finds wrong with what is held, now and at each instant to come, and with what runs."""
    found = home.tenure("ledger", "check", "-o", "json").json["findings"]
    return [one for one in found if one["severity"] == "error" and one["code"] != CONTRACT_NOT_RUNNING]


def test_what_was_offered_for_later_starts_exactly_then_and_nothing_is_held_twice(home: House) -> None:
    first = request(home, "first", FIRST_SECONDS)
    running = until(lambda: contract(home, "first", "Active"))["status"]["run"]["pid"]
    second = request(home, "second", SECOND_SECONDS)
    start_ms, end_ms = parse_instant(second["spec"]["term"]["start"]), parse_instant(first["spec"]["term"]["end"])
    assert [one["axis"] for one in second["spec"]["relaxed"]] == ["later"]
    assert start_ms == end_ms + STOP_MARGIN_MS, "as soon as the first has had its time to stop"
    assert set(second["spec"]["hold"]["claims"][0]["cores"]) == set(cores(home))
    assert second["status"]["phase"] != "Active", "it is scheduled"

    found: list[dict[str, Any]] = []

    def looked() -> dict[str, Any] | None:
        found.extend(doubts(home))
        return contract(home, "second", "Active")

    begun = until(looked, FIRST_SECONDS + 60, "the second starts")
    assert found == [], "no core was held twice, and nothing ran that held none"
    started_ms = parse_instant(begun["status"]["run"]["startedAt"])
    assert 0 <= started_ms - start_ms < ON_TIME_MS
    assert not alive(running)
    ended = until(lambda: contract(home, "first", "Ended"))
    assert parse_instant(ended["status"]["endedAt"]) <= started_ms
    until(lambda: recount(home)[::2] == (True, 1), what=lambda: f"agreement, holds, runs: {recount(home)}")
    lasts_ms = parse_instant(second["spec"]["term"]["end"]) - start_ms
    assert lasts_ms == SECOND_SECONDS * 1000, "later, and no shorter"
    home.must("end", "second")


def test_twin_a_machine_that_is_free_is_offered_at_once(home: House) -> None:
    for workload in ("first", "second"):
        home.must("delete", "workload", workload)
    nothing_is_left(home)
    begun = request(home, "alone", SECOND_SECONDS)
    assert begun["spec"]["relaxed"] == []
    assert begun["status"]["phase"] == "Active"
    home.must("end", "alone")
