"""Holds, prices, promises and evidence: what Offers and Contracts carry."""

from typing import Literal

from pydantic import Field

from tenure.quantities import Bytes, Count, Duration, Instant, Money, Power, Rate, Ratio
from tenure.resources.base import Strict
from tenure.resources.kinds.objectives import Load


class DeviceClaim(Strict):
    """A device, or thousandths of one."""

    id: str
    count: Count = Count(1000)


BUDGET_NAME = r"^[a-z][A-Za-z0-9.-]*(:[A-Za-z0-9][A-Za-z0-9._-]*)?$"


class BudgetDraw(Strict):
    """So much of one named budget of the site."""

    budget: str = Field(pattern=BUDGET_NAME, description="its name, such as licence:solver")
    amount: int = Field(ge=1, description="in the budget's own unit")


class Claim(Strict):
    """What is held of one machine: whole physical cores by their lowest CPU number, memory, NUMA nodes, devices, and
    what the member there draws of the site's named budgets."""

    machine: str
    purpose: Literal["reserve"] | None = Field(
        default=None,
        description="reserve: held back for the contract until a remedy brings it into use; absent: the work runs here",
    )
    role: str | None = Field(default=None, description="the member's role, where the work has several")
    cores: list[int] = Field(default_factory=list)
    memory: Bytes = Bytes(0)
    memory_nodes: list[int] = Field(default_factory=list)
    devices: list[DeviceClaim] = Field(default_factory=list)
    draws: list[BudgetDraw] = Field(default_factory=list)


class Hold(Strict):
    """Capacity held from start until end. Holds of one group are alternatives: at most one of them will be used."""

    id: str
    group: str
    site: str
    start: Instant
    end: Instant
    claims: list[Claim]

    @property
    def in_use(self) -> list[Claim]:
        """What the work runs on from its start."""
        return [claim for claim in self.claims if claim.purpose is None]

    @property
    def reserve(self) -> list[Claim]:
        """What is held back for it."""
        return [claim for claim in self.claims if claim.purpose == "reserve"]


class Shape(Strict):
    """How the runtime is run: threads and slots."""

    threads: int = Field(ge=1)
    slots: int = Field(default=1, ge=1)


class EvidenceSummary(Strict):
    """What a statistical promise rests on."""

    grade: Literal["measured-here", "measured-elsewhere", "modelled"]
    method: Literal["by-windows", "by-requests"]
    samples: int
    windows: int
    neighbours: Literal["quiet", "busy"]
    saturated: bool = Field(default=False, description="measured without a pause between requests, for a floor")
    hardware_class: str
    runtime: str
    measured_at: Instant
    load: Load


class StatisticalPromise(Strict):
    """Under this load, in windows of this length, this percentile stays within this bound, in at least this share of
    the windows, with this confidence."""

    metric: str
    percentile: str | None = None
    bound: Duration | None = Field(default=None, description="an upper bound, for latencies")
    floor: Rate | None = Field(default=None, description="a lower bound, for rates")
    answered: Ratio | None = Field(
        default=None, description="a lower bound, for availability: the share of a window's requests that is answered"
    )
    asked: Duration | None = None
    asked_floor: Rate | None = None
    asked_answered: Ratio | None = None
    carried: Duration | None = Field(default=None, description="the bound that the evidence itself carries")
    carried_floor: Rate | None = Field(default=None, description="the floor that the evidence itself carries")
    carried_answered: Ratio | None = Field(
        default=None, description="the availability that the evidence itself carries"
    )
    window: Duration
    share: Ratio
    confidence: Ratio
    evidence: EvidenceSummary


class HardPromise(Strict):
    """What is reserved and where; checked by reading back from the kernel and the hardware."""

    what: str
    value: str


class Promises(Strict):
    """Hard and statistical promises, never mixed, and the load under which the latter are owed."""

    load: Load | None = None
    hard: list[HardPromise] = Field(default_factory=list)
    statistical: list[StatisticalPromise] = Field(default_factory=list)
    complete_by: Instant | None = Field(
        default=None,
        description="by when the work is promised to be done: judged once, by its own success and when that was",
    )
    probes_per_second: Rate | None = Field(default=None, description="requests that the prober may add, on average")
    retention: Duration | None = Field(
        default=None,
        description="how long windows and their sketches are kept at least (they go by whole days, UTC), and journals "
        "and logs after the end",
    )
    views: list[Literal["tap", "prober", "metrics"]] = Field(
        default_factory=list, description="independent views, all of which must agree before a window is kept"
    )


class CreditBand(Strict):
    """One step of the schedule by which money comes back."""

    below_percent: int = Field(
        ge=1, le=100, description="reached when the share of windows kept is below this part of the promised share"
    )
    credit_percent: int = Field(ge=1, le=100, description="so much of the price comes back")


class Price(Strict):
    """What it costs; absent amounts are unknown, and why is said."""

    hourly: Money | None = None
    total: Money | None = None
    reserve_hourly: Money | None = Field(default=None, description="the part of `hourly` that the reserve costs")
    unknown_because: str | None = None
    credit: list[CreditBand] = Field(
        default_factory=list,
        description="what comes back when the error budget of a promise is used up; the largest step reached counts",
    )


class Watts(Strict):
    """What power it draws; absent is unknown, and why is said."""

    power: Power | None = None
    basis: str | None = None
    unknown_because: str | None = None


class Relaxation(Strict):
    """One axis along which a counter-offer falls short of what was asked."""

    axis: Literal[
        "less", "slower", "later", "elsewhere", "shorter", "isolation", "price", "power", "confidence", "availability"
    ]
    what: str
    asked: str
    offered: str
