"""What the chaos tests compare would be found: each difference between contracts and log, and each lost acceptance."""

from types import SimpleNamespace
from typing import Any

from tests.chaos.agreement import Stated, log_differences, lost_acceptances

NOW_MS = 1_000


def contract(uid: str, phase: str, because: str | None = None, end_ms: int = 2 * NOW_MS) -> Any:
    status = SimpleNamespace(phase=phase, ended_because=because)
    return SimpleNamespace(
        uid=uid, name=f"c-{uid}", status=status, spec=SimpleNamespace(term=SimpleNamespace(end=end_ms))
    )


def said(signed: str = "", ending: str = "", settled: str = "") -> Stated:
    return Stated(frozenset(signed), frozenset(ending), frozenset(settled))


def test_what_agrees_is_silent() -> None:
    living = [contract("a", "Active"), contract("b", "Ended")]
    assert log_differences(living, said(signed="abc", ending="bc", settled="bc")) == [], (
        "c is gone, and the log says so"
    )


def test_twin_each_difference_is_told() -> None:
    assert log_differences([contract("a", "Active")], said()) == ["a is Active, and its terms were never stated"]
    both = log_differences([contract("a", "Active")], said(signed="a", ending="a", settled="a"))
    assert both == ["a is Active, and its end was stated"]
    assert log_differences([contract("a", "Ended")], said()) == ["a is Ended, and the log does not say how"]
    gone = log_differences([], said(signed="a"))
    assert gone == ["a was signed and never ended by the log, and it is gone"]
    half = log_differences([], said(signed="a", ending="a"))
    assert half == ["a began to end by the log, and never did"]


LOST = "c-b was accepted for two, and is neither Active nor over by its term"


def test_an_acceptance_counts_until_its_user_ends_it() -> None:
    living = [contract("a", "Active"), contract("b", "Ended")]
    accepted = {"c-a": "one", "c-b": "two", "c-x": "three"}
    assert lost_acceptances(living, accepted, {"two", "three"}, NOW_MS) == []
    assert lost_acceptances(living, accepted, {"three"}, NOW_MS) == [LOST]


def test_an_acceptance_whose_term_is_over_was_not_lost_and_one_that_ended_before_was() -> None:
    accepted = {"c-b": "two"}
    assert lost_acceptances([contract("b", "Ended", "EndedByTerm", NOW_MS)], accepted, (), NOW_MS) == []
    assert lost_acceptances([contract("b", "Ended", "EndedByTerm", NOW_MS + 1)], accepted, (), NOW_MS) == [LOST]
    assert lost_acceptances([contract("b", "Ended", "Lost", NOW_MS)], accepted, (), NOW_MS) == [LOST]
