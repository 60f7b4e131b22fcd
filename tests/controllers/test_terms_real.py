"""A term on a real machine: it ends on time with or without a control plane, is announced, and goes on if renewed."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.running import plane_of
from tenure.controllers.workload.occupied import STOP_MARGIN_MS
from tenure.quantities import parse_instant
from tests.requirements.home import House
from tests.requirements.served import until

pytestmark = pytest.mark.real

ON_TIME_MS = 2 * STOP_MARGIN_MS
"""Plans allow as long as the margin for stopping; as much again is the machine's, which may be slow to start or to end
a process."""


def sleeper(home: House, name: str, seconds: int) -> None:
    """A command under contract for so long, accepted at once."""
    text = home.command(name, extra="  acceptance: auto\n").read_text().replace("10m", f"{seconds}s")
    home.must("apply", "-f", home.manifest(name, text))


def contracts(home: House, workload: str) -> list[dict[str, Any]]:
    found = home.must("get", "contracts", "-o", "json").json["items"]
    return [c for c in found if c["spec"]["workload"]["name"] == workload]


def contract(home: House, workload: str, phase: str) -> dict[str, Any] | None:
    return next((c for c in contracts(home, workload) if c.get("status", {}).get("phase") == phase), None)


def late_ms(found: dict[str, Any]) -> int:
    return parse_instant(found["status"]["endedAt"]) - parse_instant(found["spec"]["term"]["end"])


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def nothing_is_left(home: House) -> None:
    """No hold and no run, once the renewal that was offered shortly before the end is withdrawn too."""
    until(lambda: recount(home) == (True, 0, 0), what=lambda: f"agreement, holds, runs: {recount(home)}")


def recount(home: House) -> tuple[bool, int, int]:
    """Whether the books agree; how many holds and runs there are."""
    checked = home.tenure("ledger", "check", "-o", "json").json
    return checked["agrees"], checked["holds"], checked["runs"]


def test_a_contract_ends_on_time(home: House) -> None:
    sleeper(home, "short", 10)
    pid = until(lambda: contract(home, "short", "Active"))["status"]["run"]["pid"]
    ended = until(lambda: contract(home, "short", "Ended"))
    assert ended["status"]["endedBecause"] == "EndedByTerm"
    assert 0 <= late_ms(ended) < ON_TIME_MS
    assert not alive(pid)
    nothing_is_left(home)


def test_its_work_ends_on_time_while_nobody_manages_it(home: House) -> None:
    sleeper(home, "orphan", 10)
    found = until(lambda: contract(home, "orphan", "Active"))
    running = plane_of(home.path)
    assert running is not None
    os.kill(running["pid"], signal.SIGKILL)
    end_s = parse_instant(found["spec"]["term"]["end"]) / 1000
    until(lambda: not alive(found["status"]["run"]["pid"]))
    assert -0.1 < time.time() - end_s < ON_TIME_MS / 1000
    home.must("up")
    ended = until(lambda: contract(home, "orphan", "Ended"))
    assert ended["status"]["endedBecause"] == "EndedByTerm"
    nothing_is_left(home)


def test_notice_brings_an_offer_and_accepting_it_goes_on_where_the_contract_ends(home: House) -> None:
    sleeper(home, "more", 50)
    first = until(lambda: contract(home, "more", "Active"))
    offer = until(lambda: _renewal(home, first["metadata"]["name"]))
    assert offer["spec"]["hold"]["start"] == first["spec"]["term"]["end"]
    assert offer["spec"]["hold"]["claims"] == first["spec"]["hold"]["claims"]
    notice = next(c for c in contract(home, "more", "Active")["status"]["conditions"] if c["type"] == "EndingSoon")
    before_end_ms = parse_instant(first["spec"]["term"]["end"]) - parse_instant(notice["lastTransitionTime"])
    assert 5_000 - ON_TIME_MS < before_end_ms <= 5_000, "a tenth of the term before its end"
    said = home.must("renew", "more", "--accept", "best", "-o", "json").json
    assert said["contract"]["spec"]["renews"] == first["metadata"]["name"]
    assert said["contract"]["spec"]["term"]["start"] == first["spec"]["term"]["end"]
    second = until(lambda: contract(home, "more", "Active") and _running(home, said["contract"]["metadata"]["name"]))
    before = next(c for c in contracts(home, "more") if c["metadata"]["name"] == first["metadata"]["name"])
    assert before["status"]["phase"] == "Ended"
    assert 0 <= late_ms(before) < ON_TIME_MS
    began = parse_instant(second["status"]["run"]["startedAt"]) - parse_instant(second["spec"]["term"]["start"])
    assert 0 <= began < ON_TIME_MS
    assert home.must("ledger", "check", "-o", "json").json["runs"] == 1
    home.must("end", "more")


def _renewal(home: House, renewed: str) -> dict[str, Any] | None:
    offers = home.must("get", "offers", "-o", "json").json["items"]
    held = [o for o in offers if o.get("status", {}).get("phase") == "Held"]
    return next((o for o in held if o["spec"].get("renews") == renewed), None)


def _running(home: House, name: str) -> dict[str, Any] | None:
    active = contract(home, "more", "Active")
    return active if active and active["metadata"]["name"] == name else None


def test_twin_a_renewal_that_nobody_accepts_changes_nothing(home: House) -> None:
    sleeper(home, "enough", 30)
    first = until(lambda: contract(home, "enough", "Active"))
    until(lambda: _renewal(home, first["metadata"]["name"]))
    ended = until(lambda: contract(home, "enough", "Ended"))
    assert late_ms(ended) < ON_TIME_MS
    assert len(contracts(home, "enough")) == 1
    nothing_is_left(home)
