"""What the chaos tests compare would be found: each difference between contracts and log, and each lost acceptance."""

from types import SimpleNamespace
from typing import Any

from tests.chaos.agreement import Stated, log_differences, lost_acceptances


def contract(uid: str, phase: str) -> Any:
    return SimpleNamespace(uid=uid, name=f"c-{uid}", status=SimpleNamespace(phase=phase))


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


def test_an_acceptance_counts_until_its_user_deletes() -> None:
    living = [contract("a", "Active"), contract("b", "Ended")]
    accepted = {"c-a": "one", "c-b": "two", "c-x": "three"}
    assert lost_acceptances(living, accepted, deleted={"two", "three"}) == []
    assert lost_acceptances(living, accepted, deleted={"three"}) == ["c-b was accepted for two, and is not Active"]
