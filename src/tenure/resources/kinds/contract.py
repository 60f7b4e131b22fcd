"""Offer and Contract: made by Tenure only, each with a hold in the ledger."""

from typing import Any, Literal

from pydantic import Field

from tenure.quantities import Bytes, Duration, Instant, Money, Rate, Ratio
from tenure.resources.base import ApiObject, Status, Strict
from tenure.resources.kinds.allocation import Hold, Price, Promises, Relaxation, Shape, Watts
from tenure.resources.kinds.answer import Chosen
from tenure.resources.kinds.workload import WorkloadSpec

LEDGER_FINALIZER = "tenure.dev/ledger"


class WorkloadReference(Strict):
    """Which version of which Workload this answers."""

    name: str = Field(description="name of the Workload")
    uid: str = Field(description="its uid: another of the same name is another")
    generation: int = Field(description="which version of its spec was answered")
    need: str = Field(default="", description="digest of the need; choosing an offer edits the spec but not the need")


class OfferSpec(Strict):
    """What is promised, what was relaxed, what it costs, until when it is held, and the hold itself."""

    purpose: Literal["Offer", "Trial"] = Field(
        default="Offer",
        description="Offer: to be accepted; Trial: the hold under which something is measured, which nobody accepts",
    )
    workload: WorkloadReference = Field(description="the need that it answers")
    rank: int = Field(
        default=0, description="its place among the offers of one answer, by the need's preference; 0 is the best"
    )
    meets_in_full: bool = Field(default=True, description="whether it meets all that was asked; false: a counter-offer")
    relaxed: list[Relaxation] = Field(default_factory=list, description="where a counter-offer falls short")
    promises: Promises = Field(description="what a contract by it would promise")
    shape: Shape | None = Field(
        default=None, description="threads and slots of the runtime; absent for work with a command of its own"
    )
    runtime: str | None = Field(
        default=None, description="the runtime and its version; absent for work with a command of its own"
    )
    machine: str | None = Field(default=None, description="name of the first Machine that it takes; hold has them all")
    price: Price = Field(default_factory=Price, description="what it would cost")
    watts: Watts = Field(default_factory=Watts, description="what power it would draw")
    chosen: Chosen | None = Field(default=None, description="why it is this way, where several would have done")
    expires_at: Instant = Field(description="until when it is held; then it expires")
    hold: Hold = Field(description="the capacity that is held for it")
    planned_generation: int = Field(description="generation of the ledger that it was planned at")
    renews: str | None = Field(default=None, description="the Contract that accepting this renews")
    replaces: str | None = Field(
        default=None, description="the Contract that accepting this ends and takes the place of"
    )


class OfferStatus(Status):
    """Where the offer stands. The phase is a mark that follows the commit; nobody decides from it."""

    phase: Literal["Proposed", "Held", "Accepted", "Expired", "Withdrawn"] = "Proposed"
    contract: str | None = None


class Offer(ApiObject):
    """A held answer to a Workload: accepted with one command, or it expires and frees what it held."""

    kind: Literal["Offer"] = "Offer"
    spec: OfferSpec
    status: OfferStatus | None = None


class Parties(Strict):
    """Who promises to whom."""

    provider: str = Field(description="who promises: the Site")
    consumer: str = Field(description="to whom: the namespace of the Workload")


class ContractTerm(Strict):
    """From when until when."""

    start: Instant = Field(description="from when")
    end: Instant = Field(description="until when")


class PolicyDecision(Strict):
    """What policy said of this placement and on which facts."""

    allowed: bool = Field(description="whether it may run there")
    rules: list[str] = Field(default_factory=list, description="the rules that were applied, in words")
    facts: list[str] = Field(
        default_factory=list, description="the facts that they were applied to, and who asserts them"
    )


class ContractSpec(Strict):
    """The terms; immutable, and signed once commissioned."""

    workload: WorkloadReference = Field(description="the need that it is for")
    offer: str = Field(description="name of the Offer that was accepted")
    parties: Parties = Field(description="who promises to whom")
    body: WorkloadSpec = Field(description="the Workload as it was when the offer was made")
    promises: Promises = Field(description="what is promised")
    relaxed: list[Relaxation] = Field(
        default_factory=list, description="where that falls short of what was asked, as accepted"
    )
    shape: Shape | None = Field(
        default=None, description="threads and slots of the runtime; absent for work with a command of its own"
    )
    runtime: str | None = Field(
        default=None, description="the runtime and its version; absent for work with a command of its own"
    )
    machine: str = Field(description="name of the first Machine that it takes; hold has them all")
    hold: Hold = Field(description="the capacity that is held for it")
    term: ContractTerm = Field(description="from when until when")
    price: Price = Field(default_factory=Price, description="what it costs, and what comes back when it is not kept")
    watts: Watts = Field(default_factory=Watts, description="what power it draws")
    policy: PolicyDecision = Field(description="what policy said of the place, and why")
    planned_generation: int = Field(description="generation of the ledger that it was planned at")
    renews: str | None = Field(default=None, description="the Contract that this one continues")
    replaces: str | None = Field(default=None, description="the Contract that ended early in favour of this one")


class CommissioningFigure(Strict):
    """One promise beside what commissioning measured on the very allocation."""

    metric: str
    percentile: str | None = None
    promised: Duration | None = None
    measured: Duration | None = None
    promised_floor: str | None = None
    measured_floor: str | None = None
    promised_answered: Ratio | None = None
    measured_answered: float | None = Field(
        default=None, description="the share of its requests answered that a promised share of the windows reached"
    )
    windows: int = 0
    windows_within: int = 0
    samples: int = 0
    holds: bool


class Commissioning(Strict):
    """The measurement between acceptance and signature."""

    started_at: Instant
    finished_at: Instant | None = None
    holds: bool | None = None
    figures: list[CommissioningFigure] = Field(default_factory=list)
    message: str = ""


class ReadBackFact(Strict):
    """One limit as read from the kernel."""

    what: str
    expected: str
    found: str
    source: str
    agrees: bool


class RunStatus(Strict):
    """The supervised process tree behind the contract."""

    id: str
    pid: int | None = None
    started_at: Instant | None = None
    state: str = "Unknown"
    mechanism: str | None = None
    restarts: int = 0
    read_back: list[ReadBackFact] = Field(default_factory=list)


class Signature(Strict):
    """The DSSE envelope over the terms, and the key that made it."""

    key_id: str
    signed_at: Instant
    envelope: dict[str, Any]


class WindowVerdict(Strict):
    """One promise in one window."""

    metric: str
    percentile: str | None = None
    start: Instant
    end: Instant
    verdict: Literal["Kept", "Breached", "Unverifiable"]
    reason: str
    measured: Duration | None = None
    measured_rate: Rate | None = None
    measured_answered: float | None = Field(default=None, description="the share of its requests that was answered")
    samples: int = 0
    cause: str | None = None


class Accounting(Strict):
    """The windows of one promise over its accounting period."""

    metric: str
    percentile: str | None = None
    windows: int = 0
    kept: int = 0
    breached: int = 0
    unverifiable: int = 0
    attainment: float | None = None
    budget_windows: float | None = None
    budget_left: float | None = None
    measured: Duration | None = Field(
        default=None,
        description="the percentile over all of its users' requests in the period, merged from the windows' sketches: "
        "at most 2 % too long, never too short",
    )
    samples: int = Field(default=0, description="values that `measured` rests on")
    burn_rate_short: float | None = None
    burn_rate_long: float | None = None
    verdict: Literal["Kept", "Breached", "Unverifiable"] = "Unverifiable"


class RemedyStep(Strict):
    """One step of the remedy ladder."""

    rung: str
    cause: str
    cost: str = ""
    did: str = ""
    started_at: Instant
    acted_at: Instant | None = Field(default=None, description="when it was done; what follows is judged from then on")
    finished_at: Instant | None = None
    outcome: Literal["InProgress", "Helped", "DidNotHelp", "Accepted", "Ended"] = Field(
        default="InProgress", description="Accepted: new terms took over; Ended: the contract ended first"
    )


class ReserveStatus(Strict):
    """The reserve of the contract: held back, or in use since a remedy called it in."""

    state: Literal["Held", "InUse"] = "Held"
    since: Instant | None = Field(default=None, description="when it was called in")
    because: str = Field(default="", description="what it was called in against")


class Credit(Strict):
    """What comes back by the contract's own schedule, as its windows stand; those to come are counted as kept."""

    percent: int = Field(ge=1, le=100, description="of the price of the term")
    amount: Money | None = Field(default=None, description="absent where no price is known")
    promise: str = Field(description="the promise that fell furthest short")
    windows_used: int
    windows_in_period: int
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
    seen_at: Instant
    early: Instant | None = Field(default=None, description="early end of the forecast")
    likely: Instant | None = Field(default=None, description="projected completion")
    late: Instant | None = Field(default=None, description="late end of the forecast")
    confidence: float | None = None
    completed_at: Instant | None = None
    problem: str = Field(default="", description="why there is no newer reading")


class ContractStatus(Status):
    """Where the contract stands, and whether it is kept."""

    phase: Literal["Proposed", "Commissioning", "Active", "Ending", "Ended"] = "Proposed"
    verdict: Literal["Kept", "Breached", "Unverifiable"] | None = None
    endpoint: str | None = None
    credential: str | None = Field(default=None, description="name of the Secret with the contract's key")
    commissioning: Commissioning | None = None
    run: RunStatus | None = None
    signature: Signature | None = None
    checkpoint: str | None = Field(default=None, description="of the evidence log at activation; keep a copy")
    windows: list[WindowVerdict] = Field(
        default_factory=list, description="the newest few; the rest is in the evidence"
    )
    observed_at: Instant | None = Field(
        default=None,
        description="of the youngest evidence that `Ready` rests on, give or take half a window; once it is older "
        "than a window, Ready is shown as Unknown",
    )
    accounting: list[Accounting] = Field(default_factory=list)
    remedies: list[RemedyStep] = Field(default_factory=list, description="the newest few steps of the ladder")
    reserve: ReserveStatus | None = Field(default=None, description="absent where the contract holds none")
    memory_used: Bytes | None = None
    progress: Progress | None = None
    ended_at: Instant | None = None
    ended_because: str | None = None
    credit: Credit | None = Field(default=None, description="due by the schedule of `spec.price.credit`; absent: none")


class Contract(ApiObject):
    """A signed promise on held capacity: parties, promises, allocation, term, price, policy decision."""

    kind: Literal["Contract"] = "Contract"
    spec: ContractSpec
    status: ContractStatus | None = None
