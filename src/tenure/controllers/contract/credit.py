"""Credit: what comes back by the schedule in the signed terms. Stated when it is first due and when it grows."""

import asyncio
from collections.abc import Sequence

from tenure.controllers.contract.stating import state, stated
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.promises import COMPLETION, Account, CreditStep, Promise, Verdict, credit_share
from tenure.resources import Contract
from tenure.resources.kinds.allocation import Price
from tenure.resources.kinds.standing import Credit

COUNTED_BY = "1"
"""The version of the rules by which accounts and credit are drawn from verdicts, which every statement of them names:
raise it whenever the same verdicts, terms and ends would give others. `counting.py` draws again what is by this one."""
HARD_PROMISES = "hard promises"
"""How a credit names what is read back rather than measured in windows."""


def credit_of(
    price: Price,
    accounts: Sequence[tuple[Promise, Account]],
    hard: Verdict = Verdict.KEPT,
    completion: Sequence[Verdict] = (),
) -> Credit | None:
    """The credit of the promise that fell furthest short; promises are not added up. None where none is due. Pure.

    A hard promise that was broken, or a deadline, has no share of windows by which to tell how far it fell short: any
    shortfall is the first step of the schedule, and that is due. A price that nobody declared makes the amount unknown,
    never nothing: the share of it stands all the same.
    """
    schedule = [CreditStep(band.below_percent / 100, band.credit_percent / 100) for band in price.credit]
    due = [(credit_share(account, promise.assurance, schedule), promise, account) for promise, account in accounts]
    share, promise, account = max(due, key=lambda one: one[0], default=(0, None, None))
    least = min((step.share for step in schedule), default=0.0)
    if least > share:
        if hard is Verdict.BREACHED:
            return _due(price, round(least * 100), HARD_PROMISES, 0, 0)
        if Verdict.BREACHED in completion:
            return _due(price, round(least * 100), COMPLETION, 0, 0)
    if promise is None or account is None or not share:
        return None
    percent = int(share * 100)
    return _due(price, percent, promise.name, account.used, account.owed_in_period)


def _due(price: Price, percent: int, promise: str, used: int, owed: int) -> Credit:
    return Credit(
        percent=percent,
        amount=price.total.times(percent, 100) if price.total is not None else None,
        promise=promise,
        windows_used=used,
        windows_in_period=owed,
        unknown_because=None if price.total is not None else price.unknown_because or "the terms name no price",
    )


def once_due(contract: Contract, credit: Credit | None) -> Credit | None:
    """The larger of what is due now and what was due before: a period that rolls on takes nothing back. Pure."""
    before = contract.status.credit if contract.status else None
    if before is not None and (credit is None or credit.percent < before.percent):
        return before
    return credit


async def state_credit(plane: Plane, contract: Contract, due: Credit | None) -> Credit | None:
    """The credit with what is due now, stated where it was not due before, or not as much; one that was stated before a
    crash, and that the status never showed, stands. Raises NotWrittenError: it is then not said either."""
    before = contract.status.credit if contract.status else None
    credit = once_due(contract, due)
    least = credit.percent if credit is not None else -1
    credit = await asyncio.to_thread(_stated_above, plane, contract, least) or credit
    if credit is None or (before is not None and before.percent >= credit.percent):
        return credit
    body = {"promise": credit.promise, "verdict": "Breached", "credit": credit.to_json(), "countedBy": COUNTED_BY}
    await asyncio.to_thread(state, plane, contract, "accounting", f"credit/{credit.percent}", body)
    await record(plane.client, contract, "CreditDue", f"{credit.promise}: {credit}", plane.clock, warning=True)
    return credit


def _stated_above(plane: Plane, contract: Contract, least: int) -> Credit | None:
    """The largest credit that was stated of a contract, where it is more than what is known: one of the steps of its
    schedule. Asked at every look, and nothing is read where the status shows what was stated."""
    steps = {step.credit_percent for step in contract.spec.price.credit if step.credit_percent > least}
    for percent in sorted(steps, reverse=True):
        said = stated(plane, contract, "accounting", f"credit/{percent}")
        if said is not None:
            return Credit.model_validate(said.body["credit"])
    return None
