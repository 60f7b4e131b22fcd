"""What each of the five later steps showed: held, not shown on this machine, or a claim that did not hold. Pure.

Broken is only what no busy machine excuses: that no window was judged, a promise that is not kept again, a request
that failed, another process, books that disagree, evidence that does not verify. Interference that was too weak, or a
remedy that could not win against the rest of the machine, is said and is no failure; so is what took longer than is
claimed, with how long it took.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenure.cli.words import counted
from tenure.measurement import windows_of
from tenure.quantities import parse_instant
from tenure.resources.kinds.standing import RemedyStep

VERIFIED, NOT_VERIFIED, VERIFIED_WITH_GAPS = 0, 1, 7
"""What `tenure evidence verify` ends with."""
INFEASIBLE, COUNTER_OFFERED = 5, 6
"""What `tenure request` ends with where the need does not fit as it is written."""
STORY_SECONDS_MAX = 120
"""What the whole story may take, once the model is here."""


class Mark(StrEnum):
    """How a step came out."""

    HELD = "held"
    NOT_SHOWN = "not shown here"
    BROKEN = "did not hold"


CODES = {Mark.HELD: "Held", Mark.NOT_SHOWN: "NotShown", Mark.BROKEN: "Broken"}
"""How programs are told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One step, in a line."""

    step: str
    mark: Mark
    said: str

    def to_json(self) -> dict[str, str]:
        """For programs."""
        return {"step": self.step, "outcome": CODES[self.mark], "said": self.said}


def judged(audit: Mapping[str, Any], since_ms: int, until_ms: int | None = None) -> Counter[str]:
    """The stated verdicts, of all promises, on the windows that begin in a span (Unix ms)."""
    return Counter(
        window["verdict"]
        for promise in audit["promises"]
        for window in promise["windows"]
        if since_ms <= window["startMs"] and (until_ms is None or window["startMs"] < until_ms)
    )


def detected_after_ms(audit: Mapping[str, Any], since_ms: int) -> int | None:
    """From the end of the first window that was breached since an instant until its verdict was stated."""
    found = [
        (began_ms, int(episode["detectedAfterMs"]))
        for episode in audit["episodes"]
        if (began_ms := parse_instant(episode["start"])) >= since_ms
    ]
    return min(found)[1] if found else None


def owed_and_judged(audit: Mapping[str, Any], since_ms: int, until_ms: int, window_ms: int) -> tuple[int, int]:
    """Of the whole windows in a span (Unix ms), over all promises: how many verdicts are owed, how many were stated."""
    owed = len(windows_of(since_ms, until_ms, window_ms)) * len(audit["promises"])
    return owed, sum(judged(audit, since_ms, until_ms - window_ms + 1).values())


def verdicts_text(verdicts: Mapping[str, int]) -> str:
    """How many of which, in words."""
    return ", ".join(f"{count} {verdict.lower()}" for verdict, count in sorted(verdicts.items())) or "none"


def of_refusal(code: int) -> Outcome:
    """What does not fit is answered with what would; by `code`, what the request for twice the load ended with."""
    step, refused = "Refuse, and counter", "what must stay in the EU is refused by that rule"
    if code == COUNTER_OFFERED:
        return Outcome(step, Mark.HELD, f"twice the load is counter-offered, and one is accepted; {refused}")
    if code == INFEASIBLE:
        return Outcome(step, Mark.NOT_SHOWN, f"nothing is left here that could be counter-offered; {refused}")
    return Outcome(step, Mark.NOT_SHOWN, f"this machine carries twice the load as asked, so nothing binds; {refused}")


def of_keeping(verdicts: Mapping[str, int], waited_seconds: float) -> Outcome:
    """Windows are judged while requests come; how many are kept is the machine's matter."""
    said = f"{counted(sum(verdicts.values()), 'window')} judged: {verdicts_text(verdicts)}"
    if not verdicts:
        return Outcome("Kept", Mark.BROKEN, f"no window was judged within {waited_seconds:.0f} s")
    if not verdicts.get("Kept"):
        return Outcome("Kept", Mark.NOT_SHOWN, said)
    return Outcome("Kept", Mark.HELD, said)


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What was seen while busy processes were on the contracted core, and after."""

    breached: int
    steps: Sequence[RemedyStep]
    detected_after_ms: int | None
    """From the end of the first breached window; None where none was stated."""
    window_ms: int
    settling_ms: int
    """What judging may take once a window is over."""
    kept_again: bool
    after: Mapping[str, int]
    """Verdicts on the windows that began once the interference was gone."""
    waited_seconds: float
    """How long the contract had by then."""


def of_disturbance(seen: Disturbance) -> Outcome:
    """A breach is seen within a window, a rung helps, and the promise is kept again."""
    step = "Breach and remedy"
    if not seen.breached and not seen.steps:
        return Outcome(step, Mark.NOT_SHOWN, "kept in spite of the interference, which was too weak to breach anything")
    helped = next((one for one in seen.steps if one.outcome == "Helped"), None)
    if not seen.kept_again and helped is None:
        gone = f"{verdicts_text(seen.after)} in the {seen.waited_seconds:.0f} s after the interference was gone"
        if not seen.after.get("Breached"):
            return Outcome(step, Mark.NOT_SHOWN, f"breached; {gone}: too little to say whether it is kept again")
        return Outcome(step, Mark.BROKEN, f"{gone}: not kept again")
    if not seen.steps:
        breached = counted(seen.breached, "window")
        return Outcome(step, Mark.NOT_SHOWN, f"{breached} breached, too few to call for a remedy; kept again")
    if helped is None:
        tried = ", ".join(one.rung for one in seen.steps)
        return Outcome(step, Mark.NOT_SHOWN, f"{tried} did not help while the interference lasted; kept again after it")
    remedied = f"remedied by {helped.rung}, kept again"
    if seen.detected_after_ms is None:
        unseen = "no window was stated as breached, so how soon one is seen could not be shown"
        return Outcome(step, Mark.NOT_SHOWN, f"{remedied}; {unseen}")
    when = f"detected {seen.detected_after_ms / 1000:.1f} s after its window"
    if seen.detected_after_ms > seen.window_ms + seen.settling_ms:
        most = f"a window of {seen.window_ms / 1000:g} s and {seen.settling_ms / 1000:g} s to judge it"
        return Outcome(step, Mark.NOT_SHOWN, f"{when}, which is later than {most}; {remedied}")
    return Outcome(step, Mark.HELD, f"{when}, {remedied}")


@dataclass(frozen=True, slots=True)
class Death:
    """What was counted while the control plane was dead, and found when it was back."""

    answered_meanwhile: int
    failed: int
    last_error: str
    pid_before: int | None
    pid_after: int | None
    restarted: bool
    """The run's own count of restarts rose."""
    restart_was_remedy: bool
    """A step of the ladder restarted it: that is in the log, and no fault of the adoption."""
    owed_meanwhile: int
    """Verdicts on the whole windows that passed until it was back."""
    judged_meanwhile: int
    """Those of them that were stated in the end."""
    waited_seconds: float
    """How long that could take."""
    books_agree: bool

    @property
    def adopted(self) -> bool:
        """The same process, never started anew."""
        return self.pid_before is not None and self.pid_before == self.pid_after and not self.restarted


def of_death(seen: Death) -> Outcome:
    """Requests are answered, the work is adopted, each window that passed is judged, and the books agree."""
    step = "Control dies"
    broken = []
    if seen.failed:
        broken.append(f"{counted(seen.failed, 'request')} failed ({seen.last_error})")
    if not seen.adopted and not seen.restart_was_remedy:
        broken.append(f"process {seen.pid_before} before, {seen.pid_after} after: not adopted")
    if seen.owed_meanwhile and not seen.judged_meanwhile:
        broken.append("no window that passed meanwhile was judged")
    if not seen.books_agree:
        broken.append("the ledger does not agree with what runs")
    if broken:
        return Outcome(step, Mark.BROKEN, "; ".join(broken))
    if not seen.answered_meanwhile:
        return Outcome(step, Mark.NOT_SHOWN, "the machine was too slow to answer anything while management was dead")
    if not seen.adopted:
        return Outcome(step, Mark.NOT_SHOWN, "a remedy restarted the process meanwhile, so adoption could not be seen")
    answered = f"{counted(seen.answered_meanwhile, 'request')} answered meanwhile, none failed, adopted"
    if not seen.owed_meanwhile:
        return Outcome(step, Mark.NOT_SHOWN, f"{answered}; no whole window passed meanwhile")
    verdicts = f"{seen.judged_meanwhile} of {counted(seen.owed_meanwhile, 'verdict')} on the windows that passed"
    if seen.judged_meanwhile < seen.owed_meanwhile:
        return Outcome(step, Mark.NOT_SHOWN, f"{answered}; only {verdicts}, within {seen.waited_seconds:.0f} s")
    return Outcome(step, Mark.HELD, f"{answered}; {verdicts}, afterwards")


def of_proof(verified: int, flipped: int) -> Outcome:
    """The bundle verifies, completely; and with one bit flipped it does not."""
    step = "Prove"
    if verified not in (VERIFIED, VERIFIED_WITH_GAPS):
        return Outcome(step, Mark.BROKEN, f"the bundle does not verify (exit {verified})")
    if flipped != NOT_VERIFIED:
        return Outcome(step, Mark.BROKEN, f"a flipped bit was not found (exit {flipped})")
    if verified == VERIFIED_WITH_GAPS:
        return Outcome(step, Mark.NOT_SHOWN, "verified, and not complete: windows that are owed have no verdict")
    return Outcome(step, Mark.HELD, "verified and complete since acceptance; one flipped bit was found")


def of_pace(seconds: float) -> Outcome:
    """The whole story is told in under two minutes."""
    step, said = "In all", f"told in {seconds:.0f} s"
    if seconds <= STORY_SECONDS_MAX:
        return Outcome(step, Mark.HELD, f"{said}, of {STORY_SECONDS_MAX} s at most")
    return Outcome(step, Mark.NOT_SHOWN, f"{said}, which is more than {STORY_SECONDS_MAX} s")


def broken(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that make the story end with 1."""
    return [one for one in outcomes if one.mark is Mark.BROKEN]


def not_shown(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that this machine could not show."""
    return [one for one in outcomes if one.mark is Mark.NOT_SHOWN]
