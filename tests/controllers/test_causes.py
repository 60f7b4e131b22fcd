"""A broken window is given the likeliest cause that the kernel counted in it: with figures, stated, shown, or none."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.audit.chart import render
from tenure.cli.audit.page import page
from tenure.cli.audit.replay import Audit, replay, to_json
from tenure.cli.screen import console
from tenure.controllers.remedies.causes import LOOKS_KEPT, KernelLook, KernelLooks
from tenure.controllers.remedies.watching import Looks
from tenure.evidence import contract_source
from tenure.measurement import KernelFacts
from tenure.promises import Window
from tests.controllers.test_judging import AT_MS, WINDOW_MS
from tests.controllers.watched import Watched

SECOND_NS = 10**9
FACTS = KernelFacts(0, (10,), (), 0, 0, 1 << 30, 0, 0, 0)
FIRST = Window(AT_MS, AT_MS + WINDOW_MS)


def look(seconds: float, *, ran: float = 0.0, **counters: Any) -> KernelLook:
    """What was counted so many seconds after the first window began."""
    facts = replace(FACTS, monotonic_ns=int(seconds * SECOND_NS), **counters)
    return KernelLook(AT_MS + int(seconds * 1000), facts, (1,), {(77, "miner"): ran} if ran else {})


def cause(*looks: KernelLook) -> dict[str, Any] | None:
    kept = KernelLooks()
    for one in looks:
        kept.add(one, WINDOW_MS)
    return kept.cause_of(FIRST)


@pytest.mark.parametrize(
    ("counters", "likeliest", "said"),
    [
        ({"waited_ns": 6 * SECOND_NS}, "WaitedForCpu", "its threads were ready and had no CPU for 60% of the time"),
        ({"stolen_ns": 4 * SECOND_NS}, "Stolen", "the hypervisor took the CPU away for 40% of the time"),
        ({"throttled_ns": 3 * SECOND_NS}, "Throttled", "its quota held it back for 30% of the time"),
        ({"major_faults": 50_000}, "MajorFaults", "50000 pages came from disk; 1Gi of its memory were resident"),
        ({"processes": (11,)}, "Restarted", "the process is another one"),
        ({}, "NotSeen", "the kernel counts nothing that took time from it"),
    ],
)
def test_what_took_the_most_time_is_the_likeliest(counters: dict[str, Any], likeliest: str, said: str) -> None:
    found = cause(look(0), look(10, **counters))
    assert found is not None
    assert (found["likeliest"], found["said"]) == (likeliest, said)


def test_who_ran_there_is_named_with_what_it_took() -> None:
    found = cause(look(0), look(4, ran=3.0), look(8, ran=3.0), look(10, ran=1.0, waited_ns=7 * SECOND_NS))
    assert found is not None
    assert found["ran"] == [{"pid": 77, "name": "miner", "cpuShare": 0.7}]
    assert found["said"].endswith("miner (77) used 70% of a CPU of its own")


def test_the_figures_are_there_and_what_was_not_counted_is_unknown() -> None:
    found = cause(look(0), look(10, cpu_ns=9 * SECOND_NS, waited_ns=SECOND_NS, throttled_ns=None, major_faults=3))
    assert found is not None
    figures = ("cpuSeconds", "waitedSeconds", "throttledSeconds", "stolenSeconds", "majorFaults", "residentBytes")
    assert [found[name] for name in figures] == [9, 1, None, 0, 3, 1 << 30]


def test_looks_around_the_window_count_and_those_of_other_windows_do_not() -> None:
    found = cause(look(-20, waited_ns=0), look(-1, waited_ns=9), look(11, waited_ns=9), look(30, waited_ns=SECOND_NS))
    assert found is not None
    assert (found["likeliest"], found["waitedSeconds"]) == ("NotSeen", 0)
    assert cause(look(-9)) is None, "nobody looked then"
    assert cause() is None


def test_frequent_looks_are_thinned_and_none_of_what_ran_is_lost() -> None:
    kept = KernelLooks()
    for tenth in range(1000):
        kept.add(look(tenth / 10, ran=0.01), WINDOW_MS)
    assert len(kept.kept) <= LOOKS_KEPT
    found = kept.cause_of(Window(AT_MS + 80_000, AT_MS + 90_000))
    assert found is not None
    assert found["ran"][0]["cpuShare"] == pytest.approx(0.1, rel=0.05)


class Disturbed(Watched):
    """Broken windows while somebody else has the core."""

    def audit(self) -> Audit:
        log = self.plane.log
        return replay("chat", [log.statement(place) for place in log.places(contract_source(self.contract.uid))])


def test_a_breach_without_a_remedy_has_its_cause_in_log_status_and_audit(tmp_path: Path) -> None:
    service = Disturbed(tmp_path)
    book = service.looks.kernel.setdefault(service.contract.uid, KernelLooks())
    book.add(look(0), WINDOW_MS)
    service.serve(21, first_token_ms=300)
    book.add(look(21, waited_ns=15 * SECOND_NS, ran=14.0), WINDOW_MS)
    shown = asyncio.run(service.look())
    assert shown.status is not None
    broken = [window for window in shown.status.windows if window.verdict == "Breached"]
    assert broken
    assert all("had no CPU for 71% of the time; miner (77)" in str(window.cause) for window in broken)
    found = service.audit()
    told = to_json(found)
    assert told["episodes"][0]["cause"].startswith("its threads were ready")
    assert told["promises"][0]["windows"][0]["cause"]["ran"][0]["name"] == "miner"
    assert "because its threads were ready" in text_of(found)
    assert "miner (77)" in page(found)


def test_twin_windows_at_which_nobody_looked_get_no_cause(tmp_path: Path) -> None:
    service = Disturbed(tmp_path)
    service.serve(21, first_token_ms=300)
    shown = asyncio.run(service.look())
    assert shown.status is not None
    assert {window.cause for window in shown.status.windows} == {"5 requests"}, "what the judge said, and no more"
    assert to_json(service.audit())["episodes"][0]["cause"] is None


def test_what_was_stated_is_shown_again_after_a_restart(tmp_path: Path) -> None:
    service = Disturbed(tmp_path)
    book = service.looks.kernel.setdefault(service.contract.uid, KernelLooks())
    book.add(look(0), WINDOW_MS)
    service.serve(21, first_token_ms=300)
    book.add(look(21, stolen_ns=9 * SECOND_NS), WINDOW_MS)
    asyncio.run(service.look())
    service.looks = Looks()
    shown = asyncio.run(service.look())
    assert shown.status is not None
    assert all("the hypervisor took" in str(window.cause) for window in shown.status.windows)


def text_of(found: Audit) -> str:
    screen = console()
    with screen.capture() as said:
        screen.print(render(found, 100))
    return " ".join(said.get().split())
