"""Until when a bundle speaks of its contract.

Whoever holds the signing key can drop the newest statements, sign what is left anew and date the bundle back to just
after them: then nothing that is owed by that date is missing, and a checkpoint from before still leads to it. Only the
verifier's own clock tells. So a bundle of a contract that is not settled proves until the time at which it says that it
was made, and for no longer than its terms' accounting period is that taken for an answer about the contract.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tenure.evidence.report import Report
from tenure.evidence.statements import Statement
from tenure.quantities import format_instant

CLOCKS_APART_MS_MAX = 300_000
"""By how much two honest clocks may differ: what Kerberos calls reasonable, five minutes."""

SpeaksFor = Callable[[Mapping[str, Any], Sequence[Statement]], int | None]
"""For how long (ms) a bundle answers for its contract, from signed terms and statements; None: for good. Pure."""


def check_time(
    report: Report,
    *,
    terms: Mapping[str, Any] | None,
    statements: Sequence[Statement],
    speaks_for: SpeaksFor | None,
    created_ms: int,
    now_ms: int,
) -> None:
    """Compare when the bundle says that it was made with what it holds and with the verifier's clock."""
    report.as_of_ms = now_ms
    last_ms = max((statement.at_ms for statement in statements), default=created_ms)
    if last_ms - created_ms > CLOCKS_APART_MS_MAX:
        report.untimely = f"it says that it was made before its last statement, of {format_instant(last_ms)}"
    elif created_ms - now_ms > CLOCKS_APART_MS_MAX:
        report.untimely = f"it was made after {format_instant(now_ms)}, as of which it is checked: a clock is wrong"
    if terms is None or speaks_for is None:
        return
    try:
        for_ms = speaks_for(terms, statements)
    except Exception as error:  # what was signed can be of any shape
        report.untimely = report.untimely or f"how long it speaks for cannot be told: {error}"
        return
    report.settled = for_ms is None
    if for_ms is not None and now_ms - created_ms > for_ms and not report.untimely:
        report.untimely = "the contract was not settled then, and more than one accounting period has passed"
