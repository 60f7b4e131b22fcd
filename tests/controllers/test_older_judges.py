"""A verdict is drawn again as the judge that stated it drew it, also where today's would judge otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tenure.controllers.contract.checking import recompute
from tenure.controllers.contract.stating import EVIDENCE_INPUT
from tenure.evidence import OtherJudgeError, Statement
from tenure.promises import Probe, View, WindowEvidence
from tenure.quantities import format_instant
from tests.controllers.test_judging import AT_MS, WINDOW_MS, a_contract
from tests.promises.builders import request

SLOW = request(AT_MS + 1000, first_ms=50, gaps_ms=(500, 500), output_tokens=3)
TAP_SAYS = replace(SLOW, gaps_ns=(1_000_000, 1_000_000), end_after_ns=52_000_000)
LYING = WindowEvidence(
    asof_ms=AT_MS + WINDOW_MS + 500,
    tap_asof_ms=AT_MS + WINDOW_MS + 400,
    requests=(request(AT_MS + 2000, first_ms=50, prompt_tokens=40, gaps_ms=(1, 1), output_tokens=3),),
    probes=(Probe(SLOW, TAP_SAYS),),
    required=frozenset({View.TAP, View.PROBER}),
)
"""The tap lies about the gaps of an answer, and of those alone."""


def drawn_again(version: str) -> Mapping[str, Any]:
    """What a statement of this judge must say of that window."""
    body = {"promise": "timeToFirstToken.p95", "judge": version}
    body |= {"start": format_instant(AT_MS), "end": format_instant(AT_MS + WINDOW_MS)}
    statement = Statement("window-verdict", "c-1/w", "c-1", 0, AT_MS + WINDOW_MS, (), body)
    found = recompute(statement, {EVIDENCE_INPUT: LYING.as_record()}, a_contract().spec.to_json())
    assert found is not None
    assert found["judge"] == version
    return found


@pytest.mark.parametrize("version", ["3", "4"])
def test_judges_that_compared_first_tokens_alone_are_borne_out(version: str) -> None:
    assert (drawn_again(version)["verdict"], drawn_again(version)["reason"]) == ("Kept", "WithinBound")


def test_todays_judge_compares_the_gaps_as_well() -> None:
    found = drawn_again("5")
    assert (found["verdict"], found["reason"]) == ("Unverifiable", "ViewsDisagree")
    assert found["detail"] == "first to last token of the probes: prober 1000 ms, tap 2 ms"


@pytest.mark.parametrize("version", ["2", "6"])
def test_what_any_other_judge_said_is_neither_true_nor_false(version: str) -> None:
    with pytest.raises(OtherJudgeError):
        drawn_again(version)
