"""What a platform engineer says of members: how many, what each takes, what they share, how they are spread."""

from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from tenure.quantities import ByteRate, Bytes, Count
from tenure.resources.base import CelRule, Strict, violation
from tenure.resources.kinds import rules
from tenure.resources.kinds.allocation import BudgetDraw

WHOLE_MILLI = 1000
EACH_MAX = 100_000
"""Members, or what one member takes by the piece: far more than any site has, and few enough to count with."""
ROLES_MAX = 64
SIZES_MAX = 64
RULES_MAX = 1024
"""Far more than there are rules to tell apart; a bound at all because Kubernetes asks one of a list that CEL reads."""
Level = Literal["machine", "nvlinkDomain", "rail", "leaf", "spine", "rack", "row", "feed"]
Shared = Literal[
    "core",
    "l3",
    "numaNode",
    "pcieSwitch",
    "machine",
    "nvlinkDomain",
    "rail",
    "leaf",
    "spine",
    "rack",
    "row",
    "feed",
    "site",
]
RESERVE = "reserve"  # what Tenure itself calls the members that it holds back


class DeviceRequest(Strict):
    """Devices wanted by class or model; for platform engineers."""

    device_class: str = Field(alias="class", description="gpu, or nic")
    model: str | None = Field(
        default=None,
        description="the model that it must be, as machines name it; absent: any",
        examples=["NVIDIA H100 80GB HBM3"],
    )
    models: list[str] | None = Field(
        default=None, min_length=1, description="any of these will do; model names a single one"
    )
    count: int = Field(default=1, ge=1, le=EACH_MAX, description="how many of them a member takes")
    fraction: Count | None = Field(
        default=None,
        description="of each device, in thousandths: 0.5 or 500m; absent: whole devices, nobody else's",
        examples=["500m"],
    )
    cel_rules = rules.DEVICES

    @model_validator(mode="after")
    def _readable(self) -> "DeviceRequest":
        if self.model is not None and self.models:
            raise violation("ExactlyOneOf", "give model or models, not both; models lists all that will do")
        if self.fraction is not None and not 0 < int(self.fraction) <= WHOLE_MILLI:
            raise violation("InvalidValue", f"fraction: {self.fraction} is none of 1m to 1; count says how many")
        return self


class MemberSize(Strict):
    """So many members, and what that is worth."""

    members: int = Field(ge=1, le=EACH_MAX, description="how many members this size has", examples=[4])
    value: int = Field(
        ge=0, description="what this size is worth beside the others, in any unit of yours; of all roles together"
    )


class MemberResources(Strict):
    """What one member takes; for platform engineers."""

    members: int = Field(
        default=1,
        ge=1,
        le=EACH_MAX,
        description="how many; with membersMin the most that are taken. With sizes it is left out",
    )
    members_min: int | None = Field(
        default=None,
        ge=1,
        le=EACH_MAX,
        description="fewer than members will do, but no fewer than this; as many as fit are taken",
    )
    sizes: list[MemberSize] | None = Field(
        default=None,
        min_length=1,
        max_length=SIZES_MAX,
        description="instead of members: only these sizes will do, each with its value; of those that fit the greatest "
        "value is taken, all roles together",
    )
    cores: int = Field(default=1, ge=1, le=EACH_MAX, description="whole physical cores")
    memory: Bytes | None = Field(
        default=None,
        description="bound to the NUMA nodes of its cores; absent: what the model needs, 1Gi for other work",
    )
    local_disk: Bytes | None = Field(
        default=None, description="of the local disk that its machine sells: Machine.spec.localDisk"
    )
    devices: list[DeviceRequest] = Field(
        default_factory=list, description="GPUs and network adapters: [{class: gpu, count: 2}]"
    )
    draws: list[BudgetDraw] = Field(
        default_factory=list, description="what a member takes of the site's named budgets, such as a licence"
    )
    network: ByteRate | None = Field(
        default=None,
        description="what a member exchanges with members that stand elsewhere; it is kept free on the uplink of every "
        "domain that they reach beyond",
    )

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "!has(self.membersMin) || self.membersMin <= (has(self.members) ? self.members : 1)",
            "membersMin is at most members",
        ),
        CelRule(
            "!(has(self.sizes) && has(self.membersMin))", "the least of sizes is the minimum; leave membersMin out"
        ),
        CelRule(
            "!has(self.sizes) || self.sizes.all(s, self.sizes.exists_one(t, t.members == s.members))",
            "each number of members is named once in sizes",
        ),
        CelRule(
            "!has(self.sizes) || !has(self.members) || self.members == 1 || "
            "(self.sizes.all(s, s.members <= self.members) && self.sizes.exists(s, s.members == self.members))",
            "the greatest of sizes says how many; leave members out",
        ),
    )

    @field_validator("members_min")
    @classmethod
    def _no_more_than_all(cls, least: int | None, info: ValidationInfo) -> int | None:
        most = info.data.get("members")
        if least is not None and most is not None and least > most:
            raise violation("InvalidValue", f"{least} is more than members, which is {most}")
        return least

    @field_validator("sizes")
    @classmethod
    def _told_apart(cls, sizes: list[MemberSize] | None, info: ValidationInfo) -> list[MemberSize] | None:
        if sizes is None:
            return None
        named = [size.members for size in sizes]
        if len(set(named)) < len(named):
            raise violation("InvalidValue", "the same number of members is named twice")
        if info.data.get("members_min") is not None:
            raise violation("ExactlyOneOf", "the least of sizes is the minimum", "leave membersMin out")
        if info.data.get("members", 1) not in (1, max(named)):
            raise violation("ExactlyOneOf", f"the greatest of sizes is {max(named)}", "leave members out")
        return sizes

    @property
    def members_most(self) -> int:
        """The greatest number of members that is asked for."""
        return max(size.members for size in self.sizes) if self.sizes else self.members


class RoleRequest(MemberResources):
    """Members that are alike, beside members of other roles; all of them are placed or none."""

    name: str = Field(
        pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$",
        max_length=63,
        description="what the role is called, in offers and in budgets; reserve is taken",
        examples=["worker"],
    )


class ResourceRequest(MemberResources):
    """Explicit resources per member; for platform engineers, developers leave it out."""

    roles: list[RoleRequest] | None = Field(
        default=None,
        min_length=1,
        max_length=ROLES_MAX,
        description="members of several sorts, instead of the fields beside it: all of them are placed or none",
    )
    cel_rules = (*MemberResources.cel_rules, *rules.ROLES)

    @model_validator(mode="after")
    def _roles_alone(self) -> "ResourceRequest":
        if not self.roles:
            return self
        alone = type(self)()  # what is as it would be unsaid is written out on the wire, and says nothing
        beside = sorted(name for name in MemberResources.model_fields if getattr(self, name) != getattr(alone, name))
        if beside:
            said = ", ".join(to_camel(name) for name in beside)
            raise violation(
                "ExactlyOneOf", "with roles, each role says what its members take", f"move {said} into a role"
            )
        names = [role.name for role in self.roles]
        if len(set(names)) < len(names) or RESERVE in names:
            raise violation("InvalidValue", f"each role has a name of its own, and none is called {RESERVE}")
        return self

    @property
    def in_roles(self) -> "list[MemberResources]":
        """Every sort of member; one where no roles are named."""
        return [*self.roles] if self.roles else [self]


class TopologyRule(Strict):
    """What members or devices share, over what members are spread, how fast their links are, or how near nodes lie."""

    share: Shared | None = Field(default=None, description="what they share", examples=["rack"])
    spread: Level | None = Field(default=None, description="instead of share: members stand in several of these")
    members_max: int | None = Field(
        default=None, ge=1, description="with spread: the most members in one of them; 1 when absent"
    )
    link_bandwidth_min: ByteRate | None = Field(
        default=None,
        description="instead of share: so much between any two members; only levels count whose bandwidth the site "
        "declares",
        examples=["400Gb/s"],
    )
    numa_distance_max: int | None = Field(
        default=None,
        ge=10,
        description="instead of share: how far apart a member's NUMA nodes may lie, as firmware says it; 10 is local",
        examples=[10],
    )
    cel_rules = rules.TOPOLOGY_RULE

    @model_validator(mode="after")
    def _one_of_them(self) -> "TopologyRule":
        said = [name for name in ONE_OF_RULE if getattr(self, name) is not None]
        if len(said) != 1:
            names = [to_camel(name) for name in ONE_OF_RULE]
            several = f"split {' and '.join(map(to_camel, said))} into a rule each"
            raise violation(
                "ExactlyOneOf",
                f"name exactly one of {', '.join(names[:-1])} and {names[-1]}",
                several if said else "name one, for example share: rack",
            )
        if self.members_max is not None and self.spread is None:
            raise violation("InvalidValue", "membersMax goes with spread, for example {spread: rack, membersMax: 2}")
        return self


ONE_OF_RULE = ("share", "spread", "link_bandwidth_min", "numa_distance_max")
"""What a rule of topology says, one of them each."""


class TopologyRules(Strict):
    """What members must share, how they must lie, and what of it is only preferred: the same rules in either list."""

    must: list[TopologyRule] = Field(
        default_factory=list,
        max_length=RULES_MAX,
        description="rules that an offer keeps, or it is not made: [{share: rack}, {linkBandwidthMin: 400Gb/s}]",
    )
    prefer: list[TopologyRule] = Field(
        default_factory=list,
        max_length=RULES_MAX,
        description="rules that are kept where they can be, and the offer says which were not: [{numaDistanceMax: 10}]",
    )
    link_bandwidth_min: ByteRate | None = Field(
        default=None, description="the older form of a rule in must: write it there, [{linkBandwidthMin: 400Gb/s}]"
    )
    numa_distance_max: int | None = Field(
        default=None,
        ge=10,
        description="the older form of a rule in must: write it there, [{numaDistanceMax: 10}]",
    )
    cel_rules = rules.TOPOLOGY

    @model_validator(mode="after")
    def _one_of_a_sort(self) -> "TopologyRules":
        if sum(rule.spread is not None for rule in (*self.must, *self.prefer)) > 1:
            raise violation("InvalidValue", "members are spread over one level", "leave one rule with spread")
        for name in OLDER_FORM:
            for where, listed in (("must", self.must), ("prefer", self.prefer)):
                if sum(getattr(rule, name) is not None for rule in listed) > 1:
                    said = f"{where} names {to_camel(name)} more than once"
                    raise violation("InvalidValue", said, f"leave one rule with {to_camel(name)} in {where}")
            if getattr(self, name) is not None and any(getattr(rule, name) is not None for rule in self.must):
                said = f"{to_camel(name)} stands in must and beside it"
                raise violation("InvalidValue", said, f"leave the rule in must, and {to_camel(name)} beside it out")
        return self

    @property
    def required(self) -> list[TopologyRule]:
        """What must be, in either form. A body is never rewritten into the newer one: contracts are signed over it."""
        older = ((name, getattr(self, name)) for name in OLDER_FORM)
        return [*self.must, *(TopologyRule.model_validate({name: said}) for name, said in older if said is not None)]


OLDER_FORM = ("link_bandwidth_min", "numa_distance_max")
"""What is a rule in `must` or `prefer`, and used to stand beside them, in contracts and needs that are stored."""
