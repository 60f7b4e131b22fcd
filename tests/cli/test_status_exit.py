"""What `tenure status` exits with: 1 on any breach that counts, 7 where nobody can say, else 0."""

from typing import Any

import pytest

from tenure.cli.own.status import _table, breached_lately, exit_code_of
from tenure.quantities import format_instant
from tenure.resources import Contract
from tests.cli.answers import contract_object

AT_MS = 1_800_000_000_000
DAY_MS = 86_400_000


def contract(phase: str, verdict: str | None, reason: str = "Kept", **status: Any) -> Contract:
    ready = {"type": "Ready", "status": "True", "reason": reason, "message": "", "lastTransitionTime": AT_MS}
    return contract_object("c", "default", "w", phase=phase, verdict=verdict, conditions=[ready], **status)


@pytest.mark.parametrize(
    ("contracts", "code"),
    [
        ([], 0),
        ([contract("Active", "Kept")], 0),
        ([contract("Active", "Kept"), contract("Active", "Breached")], 1),
        ([contract("Active", "Unverifiable")], 7),
        ([contract("Active", "Unverifiable"), contract("Ending", "Breached")], 1),
        ([contract("Ending", "Breached")], 1),
        ([contract("Ended", "Breached")], 1),
        ([contract("Ending", "Unverifiable")], 7),
        ([contract("Ending", "Kept")], 0),
        ([contract("Commissioning", None)], 0),
        ([contract("Active", "Kept", reason="NotObserved")], 7),
    ],
)
def test_the_worst_of_all_that_counts(contracts: list[Contract], code: int) -> None:
    assert exit_code_of(contracts) == code


@pytest.mark.parametrize(
    ("phase", "verdict", "days", "counts"),
    [
        ("Ended", "Breached", 29, True),
        ("Ended", "Breached", 31, False),
        ("Ended", "Kept", 1, False),
        ("Active", "Breached", 0, False),
    ],
)
def test_an_ended_breach_counts_for_an_accounting_period(phase: str, verdict: str, days: int, counts: bool) -> None:
    ended = contract(phase, verdict, endedAt=format_instant(AT_MS))
    assert breached_lately(ended, AT_MS + days * DAY_MS) is counts


def test_one_that_is_over_says_since_when_and_not_how_long_its_term_would_have_lasted() -> None:
    ended = contract("Ended", "Breached", endedAt=format_instant(AT_MS))
    assert str(_table([ended], AT_MS + 300_000).rows[0][-1]) == "ended 5 min ago"
