"""`tenure trial`: measure longer than it takes to answer, and be surer."""

import time
from typing import Annotated

from cyclopts import Parameter

from tenure.cli import failures, screen
from tenure.cli.door import open_door
from tenure.cli.durations import duration_of, seconds_of
from tenure.cli.manifests import read_one
from tenure.cli.options import HERE, OneFile, Output, Reach, Term
from tenure.cli.own.outcome import ANSWER_CODES, answer_json, check_output, expiry_of, say_answer
from tenure.cli.own.request import state
from tenure.cli.waiting import waiting
from tenure.client import WaitTimeout
from tenure.quantities import SystemClock, format_instant
from tenure.resources import Workload
from tenure.sdk.outcomes import BLOCKING, blocked, standing_of

TRIAL_FOR = "tenure.dev/trial-for"
# Who asks for as much again wants as much again: the same words at another time are another wish.
TRIAL_ASKED = "tenure.dev/trial-asked"
# A trial begins as soon as its hold is committed; what has not begun by then waits for something else.
BEGIN_SECONDS = 30.0


def trial(
    *,
    filename: OneFile,
    for_: Term,
    timeout: Annotated[str, Parameter(help="How long to wait; without it, as long as the trial may take.")] = "",
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """Measure a need for longer, under a hold of its own, and answer it anew with what was learnt."""
    as_json = check_output(output)
    length = duration_of("--for", for_)
    patience = seconds_of(timeout) if timeout else length.seconds * 4 + 300
    manifest = read_one(filename, "Workload")
    assert isinstance(manifest.model, Workload), "that is what was read"
    work = manifest.model.spec.work
    if work != "inference":
        raise failures.usage(
            f"spec.{work} is not trialled: only inference is measured before it is answered",
            "`tenure request -f FILE` answers it",
            "NotTrialled",
        )
    with open_door(reach) as door:
        # Need and wish in one write: else the trial that the need alone calls for begins in between.
        wish = {TRIAL_FOR: str(length), TRIAL_ASKED: format_instant(SystemClock().now_ms())}
        asked = state(door, manifest, reach, wish)
        with waiting(f"trial of {asked.name}", quiet=as_json) as told:
            begun = time.monotonic()
            _wait_begun(door.client.wait_for, asked)
            left = patience - (time.monotonic() - begun)
            answered = door.client.wait_answered(asked, timeout_seconds=left, progress=told)
        expires = expiry_of(door.client, answered)
    answer = answered.status.answer if answered.status else None
    assert answer is not None, "answered"
    if as_json:
        screen.say_as("Trialled", answer_json(answer, workload=asked.name, length=str(length)))
    else:
        say_answer(answer, held=True, expires_ms=expires)
    return ANSWER_CODES[answer.kind]


def _wait_begun(wait_for: object, asked: Workload) -> None:
    assert callable(wait_for), "a verb of the client"

    def begun(seen: Workload) -> bool:
        standing = standing_of(seen)
        # A trial that failed before stands in nobody's way now; what the need names must be there.
        if standing.blocked_by is not None and standing.blocked_by.type in BLOCKING:
            raise blocked(standing)
        return bool(seen.status and seen.status.phase == "Trialling")

    try:
        wait_for(
            Workload,
            asked.name,
            begun,
            namespace=asked.namespace,
            timeout_seconds=BEGIN_SECONDS,
        )
    except WaitTimeout:
        raise failures.unverifiable(
            f"no trial of {asked.name} began within {BEGIN_SECONDS:g} s; it begins when no offer of it is held",
            "NoEvidence",
            f"`tenure why {asked.name}`",
        ) from None
