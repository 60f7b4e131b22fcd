"""The answer to a need: quotes or offers, a refusal that names what binds, or the trial that it takes to know."""

from typing import Any, Literal

from pydantic import Field, field_validator

from tenure.quantities import Bytes, Duration, Instant
from tenure.resources.base import Strict
from tenure.resources.kinds.allocation import Price, Promises, Relaxation, Shape, Watts


class Binding(Strict):
    """The constraint that binds, with its numbers."""

    constraint: str = Field(
        description="which constraint it is, by the field or the resource", examples=["residency: EU"]
    )
    imposed_by: str = Field(description="who imposes it", examples=["workload"])
    message: str = Field(description="what it comes to, in words")
    unit: str | None = Field(default=None, description="the unit of the figures", examples=["cores"])
    needed: int | None = Field(default=None, description="how much is needed, in its unit")
    available: int | None = Field(default=None, description="how much of it is free, in its unit")
    capacity: int | None = Field(default=None, description="how much of it there is at all, in its unit")
    frees_at: Instant | None = Field(default=None, description="when enough of it is free, where that is known")
    next_step: str | None = Field(default=None, description="what would lift it")


class NextSize(Strict):
    """The next larger size, and what it lacks."""

    members: int = Field(description="how many members it has")
    value: int | None = Field(default=None, description="what it would be worth, as the need says")
    needs: Binding = Field(description="what it lacks")


class Size(Strict):
    """How many members are carried where several numbers would do."""

    role: str | None = Field(default=None, description="whose members they are, where the work has roles")
    members: int = Field(description="how many are carried")
    members_min: int = Field(description="the least that would do")
    members_max: int = Field(description="the most that were asked for")
    value: int | None = Field(default=None, description="what this size is worth, as the need says")
    next_size: NextSize | None = Field(
        default=None, description="absent where nothing larger is asked for or worth more"
    )


class ScoreWeighed(Strict):
    """A score that decided between places, and what a unit of it counted."""

    score: str = Field(description="the score, as the Site names it", examples=["spread:rack"])
    weight: float = Field(description="what one unit of it counted beside the others")


class Unkept(Strict):
    """A preference that could not be kept, with what there was instead."""

    preference: str = Field(
        description="which it is",
        examples=["level:row", "spread:rack", "linkBandwidth", "numaDistance", "pcieSwitch"],
    )
    role: str | None = Field(default=None, description="whose it is, where the work has roles")
    asked: str = Field(description="what was preferred", examples=["at least 50GB/s"])
    found: str = Field(description="what the offer has instead", examples=["10GB/s"])


class Chosen(Strict):
    """Why it is this way and not another."""

    sizes: list[Size] = Field(default_factory=list, description="of members whose number may vary")
    unmet: list[Unkept] = Field(
        default_factory=list, description="preferences that could not be kept, with the figures"
    )
    scores: list[ScoreWeighed] = Field(
        default_factory=list, description="by what one of several places that would do was chosen: Site.spec.scores"
    )
    taken: float | None = Field(
        default=None, description="the share of the fleet that was taken then, where a weight depends on it"
    )

    @field_validator("unmet", mode="before")
    @classmethod
    def _by_name(cls, stored: Any) -> Any:
        """Answers used to name a preference and say no more of it; what holds by such an offer goes on."""
        if not isinstance(stored, list):
            return stored
        old = {"asked": "not recorded", "found": "not recorded"}
        return [{"preference": one, **old} if isinstance(one, str) else one for one in stored]


class FunnelStep(Strict):
    """How many candidates one constraint removed, in order."""

    constraint: str = Field(description="which constraint it is, by the field or the resource")
    imposed_by: str = Field(description="who imposes it")
    removed: int = Field(description="how many candidates it removed")
    remaining: int = Field(description="how many it left")
    detail: str = Field(default="", description="more of it, in words")


class RefusalDetail(Strict):
    """A no that explains itself."""

    binding: Binding = Field(description="the constraint that binds")
    funnel: list[FunnelStep] = Field(
        default_factory=list,
        description="how many machines each constraint left, in the order in which they were tried",
    )
    conflicting: list[str] = Field(default_factory=list, description="a minimal set of constraints that conflict")


class Quote(Strict):
    """One way to meet the need; as an Offer it is held, as an Inquiry's quote it holds nothing."""

    offer: str | None = Field(default=None, description="name of the Offer that holds it")
    unheld_because: str | None = Field(default=None, description="why a Workload's quote is not held, and what to do")
    meets_in_full: bool = Field(description="whether it meets all that was asked; false: a counter-offer")
    relaxed: list[Relaxation] = Field(default_factory=list, description="where a counter-offer falls short")
    promises: Promises = Field(description="what a contract by it would promise")
    shape: Shape | None = Field(
        default=None, description="threads and slots of the runtime; absent for work with a command of its own"
    )
    runtime: str | None = Field(
        default=None, description="the runtime and its version; absent for work with a command of its own"
    )
    cores: int = Field(default=0, description="physical cores in all, the reserve among them")
    memory: Bytes = Field(default=Bytes(0), description="memory in all, the reserve's among it")
    reserve_cores: int | None = Field(default=None, description="of `cores`, those that are held in reserve")
    start: Instant = Field(description="from when it would run")
    end: Instant = Field(description="until when it would run")
    price: Price = Field(description="what it would cost")
    watts: Watts = Field(description="what power it would draw")
    machine: str | None = Field(default=None, description="name of the first Machine that it would take")
    chosen: Chosen | None = Field(default=None, description="why it is this way, where several would have done")


class TrialNeeded(Strict):
    """What it takes to know."""

    reason: str = Field(description="what nobody knows yet")
    shapes: list[Shape] = Field(default_factory=list, description="the shapes that would be measured")
    duration: Duration = Field(description="how long that takes")
    cores: int = Field(description="physical cores that it holds meanwhile")


class Answer(Strict):
    """Exactly what Tenure says to a need, the same in CLI, API and portal."""

    kind: Literal["Offers", "CounterOffers", "Refusal", "NeedsTrial"] = Field(description="what sort of answer it is")
    answered_at: Instant = Field(description="when it was first given")
    quotes: list[Quote] = Field(default_factory=list, description="ways to meet the need, the best first")
    refusal: RefusalDetail | None = Field(default=None, description="why there is no offer in full")
    needs_trial: TrialNeeded | None = Field(default=None, description="what it takes to know; absent where it is known")
    assumed: list[str] = Field(default_factory=list, description="what was left out and filled with defaults")
