"""Holds, prices, promises and evidence: what Offers and Contracts carry."""

from typing import Literal

from pydantic import Field

from tenure.quantities import Bytes, Count, Duration, Instant, Money, Power, Rate, Ratio
from tenure.resources.base import Strict
from tenure.resources.kinds.objectives import Load


class DeviceClaim(Strict):
    """A device, or thousandths of one."""

    id: str = Field(description="the device, as its machine's profile names it", examples=["gpu-0"])
    count: Count = Field(default=Count(1000), description="how much of it: 1 is all, 500m half")


BUDGET_NAME = r"^[a-z][A-Za-z0-9.-]*(:[A-Za-z0-9][A-Za-z0-9._-]*)?$"


class BudgetDraw(Strict):
    """So much of one named budget of the site."""

    budget: str = Field(pattern=BUDGET_NAME, description="its name, such as licence:solver")
    amount: int = Field(ge=1, description="in the budget's own unit")


class Claim(Strict):
    """What is held of one machine: whole physical cores by their lowest CPU number, memory, NUMA nodes, devices, and
    what the member there draws of the site's named budgets."""

    machine: str = Field(description="name of the Machine")
    purpose: Literal["reserve"] | None = Field(
        default=None,
        description="reserve: held back for the contract until a remedy brings it into use; absent: the work runs here",
    )
    role: str | None = Field(default=None, description="the member's role, where the work has several")
    cores: list[int] = Field(default_factory=list, description="physical cores, by their lowest CPU number")
    memory: Bytes = Field(default=Bytes(0), description="memory in all, over the nodes named")
    memory_nodes: list[int] = Field(default_factory=list, description="NUMA nodes that the memory is bound to")
    devices: list[DeviceClaim] = Field(default_factory=list, description="devices, whole or in part")
    draws: list[BudgetDraw] = Field(default_factory=list, description="what is taken of the site's named budgets")


class Hold(Strict):
    """Capacity held from start until end. Holds of one group are alternatives: at most one of them will be used."""

    id: str = Field(description="the hold's own name; the run under it is found by it")
    group: str = Field(description="holds of one group are alternatives to each other")
    site: str = Field(description="name of the Site in whose ledger it stands")
    start: Instant = Field(description="from when it is held")
    end: Instant = Field(description="until when it is held")
    claims: list[Claim] = Field(
        description="what is held, machine by machine: that which the work runs on first, then the reserve"
    )

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

    threads: int = Field(ge=1, description="threads that compute")
    slots: int = Field(default=1, ge=1, description="requests that are served at once")


class EvidenceSummary(Strict):
    """What a statistical promise rests on."""

    grade: Literal["measured-here", "measured-elsewhere", "modelled"] = Field(
        description="where it was measured: on this hardware, on other hardware of its class, or not "
        "at all but modelled"
    )
    method: Literal["by-windows", "by-requests"] = Field(
        description="how the bound was found: by counting windows, or by counting requests, which is weaker"
    )
    samples: int = Field(description="requests that were measured")
    windows: int = Field(description="windows that were measured")
    neighbours: Literal["quiet", "busy"] = Field(
        description="whether other cores of the machine were kept busy during the measurement"
    )
    saturated: bool = Field(default=False, description="measured without a pause between requests, for a floor")
    hardware_class: str = Field(description="name of the HardwareProfile that it was measured on")
    runtime: str = Field(description="the runtime and its version that it was measured with")
    measured_at: Instant = Field(description="when the measurement ended")
    load: Load = Field(description="the load that it was measured under")


class StatisticalPromise(Strict):
    """Under this load, in windows of this length, this percentile stays within this bound, in at least this share of
    the windows, with this confidence."""

    metric: str = Field(description="which objective it is of, as the need spells it", examples=["timeToFirstToken"])
    percentile: str | None = Field(
        default=None,
        description="which percentile of a window's requests is bounded; absent for rates and availability",
        examples=["p95"],
    )
    bound: Duration | None = Field(default=None, description="an upper bound, for latencies")
    floor: Rate | None = Field(default=None, description="a lower bound, for rates")
    answered: Ratio | None = Field(
        default=None, description="a lower bound, for availability: the share of a window's requests that is answered"
    )
    asked: Duration | None = Field(default=None, description="the bound that was asked for, where another is promised")
    asked_floor: Rate | None = Field(
        default=None, description="the floor that was asked for, where another is promised"
    )
    asked_answered: Ratio | None = Field(
        default=None, description="the availability that was asked for, where another is promised"
    )
    carried: Duration | None = Field(default=None, description="the bound that the evidence itself carries")
    carried_floor: Rate | None = Field(default=None, description="the floor that the evidence itself carries")
    carried_answered: Ratio | None = Field(
        default=None, description="the availability that the evidence itself carries"
    )
    window: Duration = Field(description="how long a window is in which it is judged", examples=["60s"])
    share: Ratio = Field(description="the share of windows in which it is kept, at least")
    confidence: Ratio = Field(description="how sure that is by the evidence", examples=["0.9"])
    evidence: EvidenceSummary = Field(description="the measurement that it rests on")


class HardPromise(Strict):
    """What is reserved and where; checked by reading back from the kernel and the hardware."""

    what: str = Field(description="what is reserved", examples=["cores"])
    value: str = Field(description="how much of it and where, in words", examples=["2 whole, dedicated: 2, 3"])


class Promises(Strict):
    """Hard and statistical promises, never mixed, and the load under which the latter are owed."""

    load: Load | None = Field(
        default=None, description="the load under which the statistical promises are owed; absent where there are none"
    )
    hard: list[HardPromise] = Field(default_factory=list, description="what is reserved; it holds at every moment")
    statistical: list[StatisticalPromise] = Field(
        default_factory=list, description="what holds in a share of the windows, with a confidence"
    )
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

    hourly: Money | None = Field(default=None, description="the price of an hour, the reserve included")
    total: Money | None = Field(default=None, description="the price of the whole term")
    reserve_hourly: Money | None = Field(default=None, description="the part of `hourly` that the reserve costs")
    unknown_because: str | None = Field(
        default=None, description="why there is no price; `tenure price set` declares one"
    )
    credit: list[CreditBand] = Field(
        default_factory=list,
        description="what comes back when the error budget of a promise is used up; the largest step reached counts",
    )


class Watts(Strict):
    """What power it draws; absent is unknown, and why is said."""

    power: Power | None = Field(default=None, description="the most that it draws, by the basis")
    basis: str | None = Field(default=None, description="what the figure rests on, in words")
    unknown_because: str | None = Field(default=None, description="why there is no figure")


class Relaxation(Strict):
    """One axis along which a counter-offer falls short of what was asked."""

    axis: Literal[
        "less", "slower", "later", "elsewhere", "shorter", "isolation", "price", "power", "confidence", "availability"
    ] = Field(description="on which axis it falls short")
    what: str = Field(description="the field of the need, or the promise, that it falls short of")
    asked: str = Field(description="what was asked for")
    offered: str = Field(description="what is offered instead")
