"""Site: a place under one jurisdiction and operator, and the ledger of its capacity."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from tenure.quantities import Amount, ByteRate, Duration, Instant, Power, Ratio
from tenure.resources.base import ApiObject, CelRule, Status, Strict, violation
from tenure.resources.countries import Country
from tenure.resources.kinds.allocation import BUDGET_NAME
from tenure.resources.kinds.members import Level

SCORES_MAX = 16
STEPS_MAX = 16
WEIGHT_MAX = 1e9


class Location(Strict):
    """Where the site stands. No hardware proves geography: somebody asserts it, and is named."""

    country: Country = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 code")
    region: str | None = Field(default=None, description="part of the country, in words", examples=["Hesse"])
    asserted_by: str = Field(min_length=1, description="the person or body who says so")
    asserted_at: Instant | None = Field(default=None, description="when they said so; absent: nobody noted it")
    trust: Literal["declared", "contracted", "audited"] = Field(
        default="declared",
        description="how far it is relied on: declared (a word), contracted (a duty to stay there), "
        "audited (looked at by others)",
    )


class SiteLink(Strict):
    """A link to another site."""

    to: str = Field(description="name of the other Site")
    bandwidth: ByteRate | None = Field(default=None, description="bandwidth of the link")
    latency: Duration | None = Field(default=None, description="time there and back", examples=["12ms"])
    egress_price_per_gib: Amount | None = Field(default=None, description="what a GiB sent over it costs")


OWN_LIMITS = (
    *("power", "cooling", "rackUnits", "weight", "network", "localDisk"),
    *("cores", "memory", "devices"),
)
"""What a site or its machines declare otherwise: two limits of one name would be taken for one."""


class NamedBudget(Strict):
    """A limit of any name on what work draws by its own word: seats of a licence, sessions, tokens of a meter."""

    name: str = Field(
        pattern=BUDGET_NAME,
        description="as workloads name it, such as licence:solver; nothing that is declared otherwise, such as power",
        # CEL would cost more than a CRD may, in a list within a list.
        json_schema_extra={"not": {"pattern": f"^({'|'.join(OWN_LIMITS)})(:|$)"}},
    )
    limit: int = Field(ge=0, description="how much there is of it, in its unit", examples=[20])
    unit: str = Field(default="", description="what is counted, such as seats")

    @field_validator("name")
    @classmethod
    def _own(cls, name: str) -> str:
        kind = name.partition(":")[0]
        if kind in OWN_LIMITS:
            raise violation(
                "InvalidValue", f"{kind} is declared by a field of its own", "give this budget another name"
            )
        return name


PowerBasis = Literal["rated", "capped", "measured"]


class DomainBudget(Strict):
    """What one rack or row (or another domain) of the site can carry; without `domain`, each of that level."""

    level: Level = Field(default="rack", description="the level of the part; one domain of it, or each")
    domain: str | None = Field(default=None, description="its name, as the machines give it; absent: each")
    power: Power | None = Field(default=None, description="the power that it can feed")
    power_basis: PowerBasis | None = Field(
        default=None, description="which watts are charged to power and cooling here; absent: as the site says"
    )
    cooling: Power | None = Field(default=None, description="the heat that can be removed there")
    rack_units: int | None = Field(default=None, ge=0, description="rack units that it has, for machines in all")
    weight_kg: int | None = Field(default=None, ge=0, description="what the floor or the rack bears")
    network: ByteRate | None = Field(
        default=None, description="the bandwidth of its uplink; drawn by members of which others stand outside it"
    )
    named: list[NamedBudget] = Field(default_factory=list, description="licences and other budgets of any name")


class SiteLevel(Strict):
    """What holds in every domain of one level."""

    level: Literal["machine", "nvlinkDomain", "rail", "leaf", "spine", "rack", "row", "feed", "site"] = Field(
        description="the level, as machines' labels and places name its domains"
    )
    bandwidth: ByteRate = Field(description="what any two members inside one domain are sure of between them")


class WeightFrom(Strict):
    """The weight of a score from a load on."""

    taken_min: Ratio = Field(
        description="from when so much of the fleet's devices (of its cores, where it has none) is taken"
    )
    weight: float = Field(ge=0, le=WEIGHT_MAX, description="what one unit of the score counts from then on")


class SiteScore(Strict):
    """What one score counts where several places would do. Scores are weighed and added up; the least is taken."""

    score: Literal["fragmentation", "addedWatts", "locality", "spread", "cost", "age"] = Field(
        description="fragmentation: what those who come later lose, in devices; addedWatts: rated watts of what is "
        "taken; locality: NUMA distance and levels between members; spread: members that its domain of the level "
        "carries already; cost: the price an hour of what is taken; age: years since its machine is in service, beyond "
        "the newest"
    )
    level: Level | None = Field(default=None, description="of spread: over which domains")
    weight: float = Field(ge=0, le=WEIGHT_MAX, description="what one unit of the score counts beside the other scores")
    by_load: list[WeightFrom] = Field(
        default_factory=list,
        max_length=STEPS_MAX,
        description="other weights as the fleet fills; the last reached counts",
    )
    cel_rules = (
        CelRule("has(self.level) == (self.score == 'spread')", "level goes with spread, and only with it"),
        CelRule(
            "!has(self.byLoad) || (self.byLoad.map(s, s.takenMin).isSorted() && "
            "self.byLoad.all(s, self.byLoad.exists_one(t, t.takenMin == s.takenMin)))",
            "each takenMin is greater than the one before it",
        ),
    )

    @model_validator(mode="after")
    def _level_of_spread(self) -> "SiteScore":
        if (self.level is not None) != (self.score == "spread"):
            raise violation("InvalidValue", "level goes with score: spread, and only with it")
        return self

    @field_validator("by_load")
    @classmethod
    def _ascending(cls, steps: list[WeightFrom]) -> list[WeightFrom]:
        loads = [int(step.taken_min) for step in steps]
        if loads != sorted(set(loads)):
            raise violation("InvalidValue", "each takenMin is greater than the one before it")
        return steps

    @property
    def name(self) -> str:
        """As answers name it: spread:rack."""
        return self.score if self.level is None else f"{self.score}:{self.level}"


class SiteSpec(Strict):
    """What is declared of the place. What is not declared is unknown, never assumed."""

    location: Location | None = Field(
        default=None,
        description="where it stands, and who says so: `tenure site assert`; a need with residency "
        "takes no site without it",
    )
    operator: str | None = Field(default=None, description="who runs it, for people")
    owner: str | None = Field(default=None, description="whom it belongs to, for people")
    power: Power | None = Field(default=None, description="the power budget of the site")
    power_basis: PowerBasis | None = Field(
        default=None,
        description="which of a machine's watts are charged to power and cooling: rated (also when absent), capped or "
        "measured; where a machine's is not known, the next stricter figure stands in",
    )
    cooling: Power | None = Field(default=None, description="the heat that can be removed")
    rack_units: int | None = Field(default=None, ge=0, description="rack units that it has, for machines in all")
    weight_kg: int | None = Field(default=None, ge=0, description="what its floor bears, in kg, for machines in all")
    energy_price_per_kwh: Amount | None = Field(
        default=None, description="what a kWh costs; for people, no price is reckoned from it"
    )
    carbon_grams_per_kwh: int | None = Field(
        default=None, ge=0, description="grams of CO2 equivalent that a kWh causes; for people", examples=[350]
    )
    links: list[SiteLink] = Field(
        default_factory=list, description="links to other sites; for people, nothing is placed over them"
    )
    levels: list[SiteLevel] = Field(default_factory=list, description="the bandwidth that levels of the site carry")
    named: list[NamedBudget] = Field(default_factory=list, description="licences and other budgets of any name")
    budgets: list[DomainBudget] = Field(default_factory=list, description="limits of parts of the site")
    scores: list[SiteScore] = Field(
        default_factory=list,
        max_length=SCORES_MAX,
        description="by what one of several places that would do is chosen; absent: fragmentation alone",
    )
    cel_rules = (
        CelRule(
            "!has(self.scores) || self.scores.all(s, self.scores.exists_one(t, t.score == s.score && "
            "(has(t.level) ? t.level : '') == (has(s.level) ? s.level : '')))",
            "each score has one weight, byLoad where it changes",
        ),
    )

    @field_validator("scores")
    @classmethod
    def _each_once(cls, scores: list[SiteScore]) -> list[SiteScore]:
        names = [score.name for score in scores]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise violation("InvalidValue", f"{twice} is named twice", "give it one weight, byLoad where it changes")
        return scores


class Operation(Strict):
    """One step of a commit: which object moves to which phase. Offers and Contracts carry the holds themselves."""

    operation: Literal["Hold", "Choose", "Release", "Contract", "Capacity"] = Field(description="what was done")
    kind: str = Field(description="kind of the object")
    namespace: str | None = Field(default=None, description="namespace of the object; absent: it has none")
    name: str = Field(description="name of the object")
    uid: str = Field(description="uid of the object")
    to_phase: str = Field(description="the phase, or a machine's state, that it has from then on")
    reason: str | None = Field(default=None, description="why, by a stable reason")


class LedgerStatus(Strict):
    """The ledger of the site: the number of its last commit and what that commit did."""

    generation: int = Field(default=0, description="the number of the last commit")
    last_batch: list[Operation] = Field(default_factory=list, description="what it did")
    committed_at: Instant | None = Field(default=None, description="when it was made")


class SiteStatus(Status):
    """The ledger, and totals for people."""

    ledger: LedgerStatus = Field(default_factory=LedgerStatus, description="its ledger: the last commit")
    cores: int | None = Field(default=None, description="physical cores that its machines have for sale")
    cores_held: int | None = Field(
        default=None, description="of these, how many an offer or a contract holds, now or from a later start on"
    )
    gpus: int | None = Field(default=None, description="GPUs that its machines have for sale")
    gpus_held: int | None = Field(default=None, description="of these, how many are held, in whole or in part")


class Site(ApiObject):
    """A place under one jurisdiction and operator. Its status holds the ledger that every hold is committed to."""

    kind: Literal["Site"] = "Site"
    spec: SiteSpec = Field(default_factory=SiteSpec)
    status: SiteStatus | None = None
