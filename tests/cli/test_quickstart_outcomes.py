"""The quickstart ends with 1 only where a claim broke; what a busy machine could not show is said and is no failure."""

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tenure.cli.quickstart.ending import tell_outcomes, what_holds
from tenure.cli.quickstart.outcome import (
    COUNTER_OFFERED,
    INFEASIBLE,
    Death,
    Disturbance,
    Mark,
    broken,
    detected_after_ms,
    judged,
    of_death,
    of_disturbance,
    of_keeping,
    of_pace,
    of_proof,
    of_refusal,
    owed_and_judged,
)
from tenure.cli.quickstart.stage import Stage
from tenure.quantities import Instant
from tenure.resources.kinds.standing import RemedyStep

ADOPTED = Death(
    answered_meanwhile=11,
    failed=0,
    last_error="",
    pid_before=7,
    pid_after=7,
    restarted=False,
    restart_was_remedy=False,
    owed_meanwhile=8,
    judged_meanwhile=8,
    waited_seconds=60,
    books_agree=True,
)


def step(outcome: Any) -> RemedyStep:
    return RemedyStep(rung="repin", cause="process 9", started_at=Instant(1_000), outcome=outcome)


HELPED = Disturbance(
    breached=3,
    steps=[step("Helped")],
    detected_after_ms=800,
    window_ms=1_000,
    settling_ms=500,
    kept_again=True,
    after={"Kept": 4},
    waited_seconds=90,
)


def test_windows_count_from_when_a_step_began() -> None:
    windows = [{"startMs": at, "verdict": verdict} for at, verdict in ((1, "Kept"), (5, "Breached"), (9, "Kept"))]
    audit = {"promises": [{"windows": windows}, {"windows": windows[1:]}]}
    assert judged(audit, 5) == {"Breached": 2, "Kept": 2}
    assert judged(audit, 1, 9) == {"Kept": 1, "Breached": 2}


def test_detection_is_that_of_the_first_episode_since_then() -> None:
    def episode(start: str, after_ms: int) -> dict[str, Any]:
        return {"start": start, "detectedAfterMs": after_ms}

    audit = {"episodes": [episode("2026-01-01T00:00:05Z", 900), episode("2026-01-01T00:00:03Z", 700)]}
    assert detected_after_ms(audit, 0) == 700
    assert detected_after_ms({"episodes": []}, 0) is None


def test_a_verdict_is_owed_on_each_whole_window_of_each_promise_and_on_no_other() -> None:
    def windows(*starts: int) -> dict[str, Any]:
        return {"windows": [{"startMs": start, "verdict": "Kept"} for start in starts]}

    every = {"promises": [windows(0, 1000, 2000, 3000), windows(0, 1000, 2000, 3000)]}
    assert owed_and_judged(every, 500, 3500, 1000) == (4, 4), "those from 1 s and from 2 s"
    assert owed_and_judged({"promises": [windows(0, 1000, 3000)]}, 500, 3500, 1000) == (2, 1)
    assert owed_and_judged(every, 500, 1400, 1000) == (0, 0)


def test_a_counter_offer_is_shown_only_where_one_was_made() -> None:
    assert of_refusal(COUNTER_OFFERED).mark is Mark.HELD
    for code, why in ((0, "carries twice the load as asked"), (INFEASIBLE, "nothing is left here")):
        found = of_refusal(code)
        assert found.mark is Mark.NOT_SHOWN
        assert why in found.said


def test_keeping_is_broken_only_when_nobody_judged() -> None:
    assert of_keeping({"Kept": 9, "Breached": 1}, 30).mark is Mark.HELD
    assert of_keeping({"Unverifiable": 4}, 30).mark is Mark.NOT_SHOWN
    assert of_keeping(Counter(), 30).mark is Mark.BROKEN


def test_a_breach_that_was_remedied_holds_and_says_how_soon_it_was_seen() -> None:
    found = of_disturbance(HELPED)
    assert (found.mark, found.said) == (Mark.HELD, "detected 0.8 s after its window, remedied by repin, kept again")


def test_a_breach_may_be_told_a_window_after_its_own_and_what_judging_takes() -> None:
    assert of_disturbance(replace(HELPED, detected_after_ms=1_500)).mark is Mark.HELD
    late = of_disturbance(replace(HELPED, detected_after_ms=1_600))
    assert late.mark is Mark.NOT_SHOWN
    assert late.said == (
        "detected 1.6 s after its window, which is later than a window of 1 s and 0.5 s to judge it; "
        "remedied by repin, kept again"
    )


def test_a_remedy_without_a_breach_does_not_show_how_soon_one_is_seen() -> None:
    found = of_disturbance(replace(HELPED, detected_after_ms=None))
    assert found.mark is Mark.NOT_SHOWN
    assert "no window was stated as breached" in found.said


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(HELPED, breached=0, steps=[]), "too weak to breach anything"),
        (replace(HELPED, steps=[]), "too few to call for a remedy"),
        (replace(HELPED, steps=[step("DidNotHelp")]), "did not help while the interference lasted"),
    ],
    ids=["no breach", "no remedy", "a remedy that did not help"],
)
def test_what_interference_could_not_show_is_no_failure(seen: Disturbance, said: str) -> None:
    found = of_disturbance(seen)
    assert found.mark is Mark.NOT_SHOWN
    assert said in found.said


def test_a_promise_that_is_never_kept_again_is_broken() -> None:
    for steps in ([], [step("DidNotHelp")], [step("InProgress")]):
        seen = replace(HELPED, steps=steps, kept_again=False, after={"Breached": 9, "Kept": 1, "Unverifiable": 30})
        assert of_disturbance(seen).mark is Mark.BROKEN


def test_windows_that_nobody_could_judge_do_not_say_that_it_is_broken() -> None:
    found = of_disturbance(replace(HELPED, steps=[], kept_again=False, after={"Unverifiable": 80}))
    assert found.mark is Mark.NOT_SHOWN
    assert "80 unverifiable" in found.said


def test_a_death_that_nothing_noticed_holds() -> None:
    found = of_death(ADOPTED)
    said = (
        "11 requests answered meanwhile, none failed, adopted; 8 of 8 verdicts on the windows that passed, afterwards"
    )
    assert (found.mark, found.said) == (Mark.HELD, said)


def test_windows_that_passed_and_are_not_all_judged_are_counted() -> None:
    found = of_death(replace(ADOPTED, judged_meanwhile=7))
    assert found.mark is Mark.NOT_SHOWN
    assert "only 7 of 8 verdicts on the windows that passed, within 60 s" in found.said


def test_a_death_in_which_no_whole_window_passed_shows_nothing_of_them() -> None:
    assert of_death(replace(ADOPTED, owed_meanwhile=0, judged_meanwhile=0)).mark is Mark.NOT_SHOWN


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(ADOPTED, failed=1, last_error="ConnectionResetError"), "1 request failed (ConnectionResetError)"),
        (replace(ADOPTED, pid_after=8), "process 7 before, 8 after: not adopted"),
        (replace(ADOPTED, restarted=True), "not adopted"),
        (replace(ADOPTED, judged_meanwhile=0), "no window that passed meanwhile was judged"),
        (replace(ADOPTED, books_agree=False), "the ledger does not agree"),
    ],
    ids=["a failed request", "another pid", "a restart", "no window judged", "books"],
)
def test_each_claim_of_the_death_may_break(seen: Death, said: str) -> None:
    found = of_death(seen)
    assert found.mark is Mark.BROKEN
    assert said in found.said


def test_a_restart_by_the_ladder_is_no_failed_adoption() -> None:
    assert of_death(replace(ADOPTED, pid_after=8, restarted=True, restart_was_remedy=True)).mark is Mark.NOT_SHOWN


def test_a_machine_too_slow_to_answer_shows_nothing() -> None:
    assert of_death(replace(ADOPTED, answered_meanwhile=0)).mark is Mark.NOT_SHOWN


def test_the_story_takes_two_minutes_at_most_or_says_how_long_it_took() -> None:
    assert of_pace(92.4).said == "told in 92 s, of 120 s at most"
    assert of_pace(92.4).mark is Mark.HELD
    slow = of_pace(143)
    assert (slow.mark, slow.said) == (Mark.NOT_SHOWN, "told in 143 s, which is more than 120 s")


def test_the_proof_is_broken_by_either_verification() -> None:
    assert of_proof(verified=0, flipped=1).mark is Mark.HELD
    assert of_proof(verified=7, flipped=1).mark is Mark.NOT_SHOWN
    assert of_proof(verified=1, flipped=1).mark is Mark.BROKEN
    assert of_proof(verified=0, flipped=0).mark is Mark.BROKEN


def told(*deaths: Death) -> tuple[Stage, str]:
    """What the end says after such steps."""
    wide = Console(file=(shown := io.StringIO()), width=200)
    stage = Stage(home=Path(), folder=Path(), screen=wide, outcomes=[of_death(one) for one in deaths])
    tell_outcomes(stage)
    return stage, shown.getvalue()


def test_the_end_names_what_did_not_hold_and_what_to_do() -> None:
    stage, shown = told(ADOPTED, replace(ADOPTED, pid_after=8))
    assert [one.said for one in broken(stage.outcomes)] == ["process 7 before, 8 after: not adopted"]
    assert "✗ Control dies  did not hold: process 7 before, 8 after: not adopted" in shown
    assert "make quickstart ARGS=--keep" in shown


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_all_is_gone_at_the_end_unless_it_is_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, whole: bool
) -> None:
    (home := tmp_path / "home").mkdir()
    ended: list[Path] = []
    monkeypatch.setattr(Stage, "run", lambda *_, **__: 0)
    monkeypatch.setattr("tenure.cli.quickstart.ending.stop_plane", ended.append)
    monkeypatch.setattr("tenure.cli.quickstart.ending.end_all_runs", lambda at: [at])
    wide = Console(file=(shown := io.StringIO()), width=200)
    stage = Stage(home=home, folder=home, whole=whole, screen=wide)
    what_holds(stage, keep=keep)
    assert home.exists() == keep
    assert ended == ([] if keep else [home])
    assert ("It is left running." in shown.getvalue()) == keep
    assert f"export TENURE_HOME={home}" in shown.getvalue() or not keep
    assert ("1 run, and the files" in shown.getvalue()) == (not keep)
    assert [one.step for one in stage.outcomes] == (["In all"] if whole else []), "of a story that was told to its end"


def test_twin_where_all_held_nothing_is_to_be_done() -> None:
    stage, shown = told(ADOPTED)
    assert not broken(stage.outcomes)
    assert "✓ Control dies  held" in shown
    assert "make quickstart" not in shown
