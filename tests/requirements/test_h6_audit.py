"""H6, the pure part: an audit replays statements: kept, breached with its times, or unverifiable; no fourth state."""

from typing import Any

import pytest

from tenure.cli.audit.chart import render
from tenure.cli.audit.page import page
from tenure.cli.audit.replay import Audit, replay, to_json
from tenure.cli.screen import console
from tenure.controllers.contract.stating import verdict_body
from tenure.evidence import Statement, Subject
from tenure.promises import Reason, Verdict, Window, WindowVerdict
from tenure.quantities import format_instant

START = 1_800_000_000_000
TERMS: dict[str, Any] = {
    "term": {"start": format_instant(START), "end": format_instant(START + 600_000)},
    "promises": {
        "load": {"requestsPerSecond": 1, "promptTokens": 40, "outputTokens": 16},
        "statistical": [
            {
                "metric": "timeToFirstToken",
                "percentile": "p95",
                "bound": "1s",
                "window": "1s",
                "share": 0.75,
                "confidence": 0.75,
                "evidence": {
                    "grade": "measured-here",
                    "method": "by-windows",
                    "samples": 9,
                    "windows": 9,
                    "neighbours": "busy",
                    "hardwareClass": "hw",
                    "runtime": "r",
                    "measuredAt": format_instant(START),
                    "load": {"requestsPerSecond": 1},
                },
            }
        ],
    },
}
OUTCOMES = {
    "k": (Verdict.KEPT, Reason.WITHIN_BOUND, 4e8),
    "b": (Verdict.BREACHED, Reason.BOUND_EXCEEDED, 3e9),
    "u": (Verdict.UNVERIFIABLE, Reason.TOO_FEW_SAMPLES, None),
}


def stated(predicate: str, id: str, at_ms: int, body: dict[str, Any]) -> Statement:
    return Statement(predicate, id, "contract/uid", 0, at_ms, (Subject("contracts/default/chat-1", "0" * 64),), body)


def story(windows: str) -> Audit:
    """One letter a window; a remedy begins with the second breach and is judged three windows later."""
    statements = [
        stated("contract", "terms", START, {"terms": TERMS}),
        stated("read-back", "read-back/first", START, {"facts": [{"what": "cpus", "agrees": True}]}),
    ]
    for place, letter in enumerate(windows):
        verdict, reason, seen = OUTCOMES[letter]
        begun = START + place * 1000
        judged = WindowVerdict("timeToFirstToken.p95", Window(begun, begun + 1000), verdict, reason, "", seen, 1e9, 3)
        statements.append(stated("window-verdict", f"w{place}", begun + 1600, verdict_body(judged)))
        if windows[: place + 1].count("b") == 2 and letter == "b":
            body = {"rung": "repin", "cause": "an intruder", "cost": "none"}
            statements.append(stated("remedy", "r/begins", begun + 1700, body | {"stage": "begins"}))
            judged_body = body | {"stage": "judged", "outcome": "Helped", "tookMs": 3000}
            statements.append(stated("remedy", "r/judged", begun + 4700, judged_body))
    return replay("chat-1", statements)


def test_a_breach_is_shown_with_its_cause_remedy_and_times() -> None:
    audit = story("kkbbkkk")
    (episode,) = audit.episodes
    assert (episode.windows, episode.detected_after_ms) == (2, 600)
    assert episode.remedies[0].rung == "repin"
    assert episode.remedied_after_ms == 300, "kept again at the end of the window in which the step was taken"
    assert to_json(audit)["promises"][0]["account"]["used"] == 2


@pytest.mark.parametrize(
    ("windows", "verdict"),
    [
        ("kkkk", Verdict.KEPT),
        ("kku", Verdict.UNVERIFIABLE),
        ("k" + "b" * 151, Verdict.BREACHED),
        ("", Verdict.UNVERIFIABLE),
    ],
)
def test_there_are_three_verdicts_and_no_fourth(windows: str, verdict: Verdict) -> None:
    assert story(windows).verdict is verdict


def test_it_is_a_picture_in_a_terminal_and_a_page_that_fetches_nothing() -> None:
    audit = story("kkbbukk")
    screen = console()
    with screen.capture() as caught:
        screen.print(render(audit, 100))
    assert "repin: an intruder" in caught.get()
    text = page(audit)
    assert text.count("<rect") == 7
    assert "http" not in text.replace("http-equiv", "")
    assert "<script" not in text


def test_twin_what_was_never_signed_cannot_be_audited() -> None:
    with pytest.raises(ValueError, match="never signed"):
        replay("chat-1", [])
