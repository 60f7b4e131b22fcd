"""Offer and Contract: made by Tenure only, each with a hold in the ledger."""

from typing import Literal

from pydantic import Field

from tenure.quantities import Bytes, Instant
from tenure.resources.base import ApiObject, Status, Strict
from tenure.resources.kinds.allocation import Hold, Price, Promises, Relaxation, Shape, Watts
from tenure.resources.kinds.answer import Chosen
from tenure.resources.kinds.standing import (
    Accounting,
    Commissioning,
    Credit,
    Progress,
    RemedyStep,
    ReserveStatus,
    RunStatus,
    Signature,
    WindowVerdict,
)
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

    phase: Literal["Proposed", "Held", "Accepted", "Expired", "Withdrawn"] = Field(
        default="Proposed", description="where it stands; a mark that follows the commit"
    )
    contract: str | None = Field(default=None, description="name of the Contract that it became")


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


class ContractStatus(Status):
    """Where the contract stands, and whether it is kept."""

    phase: Literal["Proposed", "Commissioning", "Active", "Ending", "Ended"] = Field(
        default="Proposed", description="where it stands"
    )
    verdict: Literal["Kept", "Breached", "Unverifiable"] | None = Field(
        default=None, description="whether it is kept, over all that was judged; absent: nothing was yet"
    )
    endpoint: str | None = Field(
        default=None,
        description="where it is served, of inference that is Active",
        examples=["http://127.0.0.1:8001/v1"],
    )
    credential: str | None = Field(default=None, description="name of the Secret with the contract's key")
    commissioning: Commissioning | None = Field(
        default=None, description="what was measured on its own allocation, before it was signed"
    )
    run: RunStatus | None = Field(default=None, description="what runs for it")
    signature: Signature | None = Field(default=None, description="the signed terms; absent until it was commissioned")
    checkpoint: str | None = Field(default=None, description="of the evidence log at activation; keep a copy")
    windows: list[WindowVerdict] = Field(
        default_factory=list, description="the newest few; the rest is in the evidence"
    )
    observed_at: Instant | None = Field(
        default=None,
        description="of the youngest evidence that `Ready` rests on, give or take half a window; once it is older "
        "than a window, Ready is shown as Unknown",
    )
    accounting: list[Accounting] = Field(
        default_factory=list, description="how its promises stand over the accounting period, one an entry"
    )
    remedies: list[RemedyStep] = Field(default_factory=list, description="the newest few steps of the ladder")
    reserve: ReserveStatus | None = Field(default=None, description="absent where the contract holds none")
    memory_used: Bytes | None = Field(default=None, description="memory that its processes were last seen to use")
    progress: Progress | None = Field(default=None, description="how far the work is, where its metrics say so")
    ended_at: Instant | None = Field(default=None, description="when it ended")
    ended_because: str | None = Field(default=None, description="why it ended, by a stable reason")
    credit: Credit | None = Field(default=None, description="due by the schedule of `spec.price.credit`; absent: none")


class Contract(ApiObject):
    """A signed promise on held capacity: parties, promises, allocation, term, price, policy decision."""

    kind: Literal["Contract"] = "Contract"
    spec: ContractSpec
    status: ContractStatus | None = None
