"""How long a Contract's `Ready` may be shown: its evidence must be younger than a window when it is read.

What is written ages, and whoever wrote it may be gone, asleep, or unable to write. So the condition is held against the
clock where it is shown, by one pure function, for printer columns, API and command line alike.
"""

from collections.abc import Mapping
from typing import Any

from tenure.quantities import Duration, format_instant, parse_instant
from tenure.resources.reasons import next_step

UNMEASURED_WINDOW_MS = 30_000
"""What counts as a window where nothing is promised by windows: hard promises are read back again within it."""
REASON = "NotObserved"
SLACK_MS = 1_000
"""Whoever wrote it and whoever shows it may differ by this much, on two machines."""


def window_ms_of(contract: Mapping[str, Any]) -> int:
    """Length of the windows of a Contract as it goes over the wire, in milliseconds."""
    promises = contract.get("spec", {}).get("promises", {}).get("statistical") or []
    return Duration.parse(promises[0]["window"]).ms if promises else UNMEASURED_WINDOW_MS


def ready_as_of(contract: dict[str, Any], now_ms: int, *, since_ms: int = 0, refusal: str = "") -> dict[str, Any]:
    """A Contract (JSON) as it may be shown at `now_ms`: itself, or with Ready Unknown and the reason. Pure.

    `since_ms` is when the host began: what was last looked at before that was looked at by nobody who is still there.
    `refusal` says why nothing can be written now, if it cannot: then nothing newer than what is written can be said.
    A contract without `status.observedAt` rests on no measurement that could age (a simulated one).
    """
    status = contract.get("status") or {}
    conditions = status.get("conditions") or []
    ready = next((found for found in conditions if found.get("type") == "Ready"), None)
    if ready is None or ready.get("status") != "True":
        return contract
    why, stood_ms = _why_not(contract, status.get("observedAt"), now_ms, since_ms, refusal)
    if not why:
        return contract
    unknown = {
        **ready,
        "status": "Unknown",
        "reason": REASON,
        "message": f"{why}; {next_step(REASON)}",
        "lastTransitionTime": format_instant(stood_ms),
    }
    shown = [unknown if found is ready else found for found in conditions]
    return {**contract, "status": {**status, "conditions": shown}}


def _why_not(
    contract: Mapping[str, Any], observed: str | None, now_ms: int, since_ms: int, refusal: str
) -> tuple[str, int]:
    """Why Ready may not be shown, and since when; empty where it may."""
    if refusal:
        return f"nothing newer than this can be written down: {refusal}", now_ms
    if observed is None:
        return "", now_ms
    observed_ms, window_ms = parse_instant(observed), window_ms_of(contract)
    if observed_ms < since_ms:
        return f"not looked at since the control plane started at {format_instant(since_ms)}", since_ms
    if observed_ms > now_ms + SLACK_MS:
        return f"its evidence is of {observed}, a time to come: the clock was set back", now_ms
    if now_ms - observed_ms > window_ms:
        return f"its youngest evidence is of {observed}, older than a window", observed_ms + window_ms
    return "", now_ms
