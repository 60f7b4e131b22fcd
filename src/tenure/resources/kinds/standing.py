"""How a contract stands: its commissioning, its run, its windows and accounts, remedies, reserve, credit, progress."""

from typing import Any, Literal

from pydantic import Field

from tenure.quantities import Duration, Instant, Money, Rate, Ratio
from tenure.resources.base import Strict


class CommissioningFigure(Strict):
    """One promise beside what commissioning measured on the very allocation."""

    metric: str = Field(description="which objective it is of, as the need spells it")
    percentile: str | None = Field(default=None, description="which percentile; absent for rates and availability")
    promised: Duration | None = Field(default=None, description="the bound that is promised")
    measured: Duration | None = Field(default=None, description="what was measured of it")
    promised_floor: str | None = Field(default=None, description="the floor that is promised, of rates")
    measured_floor: str | None = Field(default=None, description="what was measured of it")
    promised_answered: Ratio | None = Field(default=None, description="the share of answered requests that is promised")
    measured_answered: float | None = Field(
        default=None, description="the share of its requests answered that a promised share of the windows reached"
    )
    windows: int = Field(default=0, description="windows that were measured")
    windows_within: int = Field(default=0, description="of these, those that kept the promise")
    samples: int = Field(default=0, description="values that were measured")
    holds: bool = Field(description="whether the promise held")


class Commissioning(Strict):
    """The measurement between acceptance and signature."""

    started_at: Instant = Field(description="when it began")
    finished_at: Instant | None = Field(default=None, description="when it was over")
    holds: bool | None = Field(default=None, description="whether what was promised held; absent: it is not over")
    figures: list[CommissioningFigure] = Field(
        default_factory=list, description="each promise beside what was measured"
    )
    message: str = Field(default="", description="what came of it, in words")


class ReadBackFact(Strict):
    """One limit as read from the kernel."""

    what: str = Field(description="which limit it is", examples=["cpus"])
    expected: str = Field(description="what the contract says")
    found: str = Field(description="what was read")
    source: str = Field(description="where it was read")
    agrees: bool = Field(description="whether both say the same")


class RunStatus(Strict):
    """The supervised process tree behind the contract."""

    id: str = Field(description="the run's name at its engine")
    pid: int | None = Field(default=None, description="process id of the command; absent: none runs")
    started_at: Instant | None = Field(default=None, description="when it was started")
    state: str = Field(default="Unknown", description="what the engine says of it")
    mechanism: str | None = Field(default=None, description="how it is held to its limits", examples=["cgroup-v2"])
    restarts: int = Field(default=0, description="how often it was started again")
    read_back: list[ReadBackFact] = Field(default_factory=list, description="its limits, as the kernel says them")


class Signature(Strict):
    """The DSSE envelope over the terms, and the key that made it."""

    key_id: str = Field(description="id of the key that made it")
    signed_at: Instant = Field(description="when it was signed")
    envelope: dict[str, Any] = Field(description="the DSSE envelope, whose payload is the terms")


class WindowVerdict(Strict):
    """One promise in one window."""

    metric: str = Field(description="which objective it is of, as the need spells it")
    percentile: str | None = Field(default=None, description="which percentile; absent for rates and availability")
    start: Instant = Field(description="when the window began")
    end: Instant = Field(description="when it was over")
    verdict: Literal["Kept", "Breached", "Unverifiable"] = Field(
        description="whether the promise was kept in it; Unverifiable: that cannot be told"
    )
    reason: str = Field(description="why, by a stable reason")
    measured: Duration | None = Field(default=None, description="the percentile that was measured in it, of latencies")
    measured_rate: Rate | None = Field(default=None, description="the rate that was measured in it, of rates")
    measured_answered: float | None = Field(default=None, description="the share of its requests that was answered")
    samples: int = Field(default=0, description="values that this rests on")
    cause: str | None = Field(default=None, description="what broke it, where that was found")


class Accounting(Strict):
    """The windows of one promise over its accounting period."""

    metric: str = Field(description="which objective it is of, as the need spells it")
    percentile: str | None = Field(default=None, description="which percentile; absent for rates and availability")
    windows: int = Field(default=0, description="windows that were judged")
    kept: int = Field(default=0, description="of these, those that were kept")
    breached: int = Field(default=0, description="of these, those that were breached")
    unverifiable: int = Field(default=0, description="of these, those of which nobody can say")
    attainment: float | None = Field(default=None, description="the share of the windows owed that did not fail")
    budget_windows: float | None = Field(
        default=None, description="how many windows may fail in the period: its error budget"
    )
    budget_left: float | None = Field(default=None, description="how many of these are left; below 0: it is used up")
    measured: Duration | None = Field(
        default=None,
        description="the percentile over all of its users' requests in the period, merged from the windows' sketches: "
        "at most 2 % too long, never too short",
    )
    samples: int = Field(default=0, description="values that `measured` rests on")
    burn_rate_short: float | None = Field(
        default=None,
        description="how fast the error budget goes by the newest windows; 1 uses it up exactly at "
        "the end of the period",
    )
    burn_rate_long: float | None = Field(default=None, description="how fast it goes by more of them")
    verdict: Literal["Kept", "Breached", "Unverifiable"] = Field(
        default="Unverifiable", description="whether the promise is kept over the period"
    )


class RemedyStep(Strict):
    """One step of the remedy ladder."""

    rung: str = Field(description="the step of the ladder")
    cause: str = Field(description="what it is against")
    cost: str = Field(default="", description="what it costs others or the provider, in words")
    did: str = Field(default="", description="what was done, in words")
    started_at: Instant = Field(description="when it was decided")
    acted_at: Instant | None = Field(default=None, description="when it was done; what follows is judged from then on")
    finished_at: Instant | None = Field(default=None, description="when its outcome was known")
    outcome: Literal["InProgress", "Helped", "DidNotHelp", "Accepted", "Ended"] = Field(
        default="InProgress", description="Accepted: new terms took over; Ended: the contract ended first"
    )


class ReserveStatus(Strict):
    """The reserve of the contract: held back, or in use since a remedy called it in."""

    state: Literal["Held", "InUse"] = Field(default="Held", description="whether it is held back or in use")
    since: Instant | None = Field(default=None, description="when it was called in")
    because: str = Field(default="", description="what it was called in against")


class Credit(Strict):
    """What comes back by the contract's own schedule, as its windows stand; those to come are counted as kept."""

    percent: int = Field(ge=1, le=100, description="of the price of the term")
    amount: Money | None = Field(default=None, description="absent where no price is known")
    promise: str = Field(description="the promise that fell furthest short")
    windows_used: int = Field(description="windows that failed")
    windows_in_period: int = Field(
        description="windows that the accounting period has in all; 0 of a promise that has none"
    )
    unknown_because: str | None = Field(default=None, description="why there is no amount")

    def __str__(self) -> str:
        amount = str(self.amount) if self.amount is not None else f"amount unknown: {self.unknown_because}"
        failed = f"{self.windows_used} of {self.windows_in_period} windows failed"
        if not self.windows_in_period:  # a hard promise has none
            failed = "broken by read-back, or by an end before its term"
            failed = "it was not done by its deadline" if self.promise == "completion" else failed
        return f"{self.percent} % of the price ({amount}), {failed}"


class Progress(Strict):
    """How far work with an end of its own is, by its own metrics, and when it will be done: a forecast, no promise."""

    ratio: float = Field(description="done so far, of 1")
    seen_at: Instant = Field(description="when the work's metrics were read")
    early: Instant | None = Field(default=None, description="early end of the forecast")
    likely: Instant | None = Field(default=None, description="projected completion")
    late: Instant | None = Field(default=None, description="late end of the forecast")
    confidence: float | None = Field(
        default=None, description="how sure it is that the end falls between early and late"
    )
    completed_at: Instant | None = Field(default=None, description="when the work was done")
    problem: str = Field(default="", description="why there is no newer reading")
