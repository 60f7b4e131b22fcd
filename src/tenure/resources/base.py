"""What every resource is made of: strict models, object metadata, conditions, and rules that also become CEL.

On the wire camelCase as Kubernetes writes it, in Python snake_case. Unknown fields are errors, with their path.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from tenure.quantities import Instant
from tenure.quantities.invalid import invalid
from tenure.resources.group import API_VERSION

NAME_PATTERN = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
NAME_LENGTH_MAX = 253


@dataclass(frozen=True, slots=True)
class CelRule:
    """A rule on one object, in the Common Expression Language for CRDs; its Python twin is a validator of the model."""

    rule: str
    message: str


class Strict(BaseModel):
    """A part of a resource: unknown fields are errors, camelCase outside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")
    cel_rules: ClassVar[tuple[CelRule, ...]] = ()

    def to_json(self) -> dict[str, Any]:
        """The object as it goes over the wire: camelCase, nothing that is absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def violation(code: str, message: str, step: str = "") -> PydanticCustomError:
    """An error of a validator with a stable code (`resources.reasons`), and what to do where the code's own step is
    not it: read by `problems_of` as the next step, and by anybody else at the end of the message."""
    return invalid(code, message, step)


def _named(written: Any) -> Any:
    if not isinstance(written, str) or (len(written) <= NAME_LENGTH_MAX and re.search(NAME_PATTERN, written)):
        return written
    shown = repr(written if len(written) <= NAME_LENGTH_MAX else f"{written[:20]}...")
    raise violation(
        "InvalidName",
        f"{shown} is no name of an object: at most {NAME_LENGTH_MAX} of lower-case letters, digits, '-' and '.'",
    )


ObjectName = Annotated[
    str, Field(min_length=1, max_length=NAME_LENGTH_MAX, pattern=NAME_PATTERN), BeforeValidator(_named)
]
"""A name by which one object refers to another; what no object can have is refused where it is written."""


def _without_nul(written: Any) -> Any:
    if isinstance(written, str) and "\0" in written:
        raise violation("InvalidValue", "has a NUL character (U+0000), which no program can be given", "leave it out")
    return written


ProgramText = Annotated[str, Field(pattern=r"^[^\x00]*$"), BeforeValidator(_without_nul)]
"""What a program is given, as its words, its environment or its files."""


class OwnerReference(Strict):
    """The object on whose account this one exists; it is collected after its owner."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Strict):
    """Names, versions and bookkeeping, as Kubernetes defines them."""

    name: str | None = Field(default=None, max_length=NAME_LENGTH_MAX, pattern=NAME_PATTERN)
    generate_name: str | None = Field(default=None, max_length=NAME_LENGTH_MAX)
    namespace: str | None = Field(default=None, max_length=63)
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: Instant | None = None
    deletion_timestamp: Instant | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: list[str] | None = None
    owner_references: list[OwnerReference] | None = None
    managed_fields: list[dict[str, Any]] | None = None
    self_link: str | None = None


class Condition(Strict):
    """One observed fact about an object: what, whether, why (a reason of `resources.reasons`), since when."""

    type: str = Field(description="which fact it is", examples=["Ready"])
    status: Literal["True", "False", "Unknown"] = Field(description="whether it is so; Unknown: nobody can say")
    reason: str = Field(description="why, by a stable reason")
    message: str = Field(default="", description="why, in words, and what to do about it")
    last_transition_time: Instant = Field(description="since when its status is this")
    observed_generation: int | None = Field(default=None, description="the generation of the spec that it is of")


class Status(Strict):
    """What every status carries."""

    observed_generation: int | None = Field(
        default=None, description="the generation of the spec that this status is of"
    )
    conditions: list[Condition] = Field(default_factory=list, description="facts about the object, one of each type")


class ApiObject(Strict):
    """Any object of the API. Subclasses fix `kind` and the types of `spec` and `status`."""

    api_version: str = API_VERSION
    kind: str
    metadata: ObjectMeta

    @property
    def name(self) -> str:
        """metadata.name, which every stored object has."""
        assert self.metadata.name is not None, "a stored object has a name"
        return self.metadata.name

    @property
    def namespace(self) -> str | None:
        """metadata.namespace; None for cluster-scoped objects."""
        return self.metadata.namespace

    @property
    def uid(self) -> str:
        """metadata.uid, which every stored object has."""
        assert self.metadata.uid is not None, "a stored object has a uid"
        return self.metadata.uid


def condition_of(conditions: list[Condition], type: str) -> Condition | None:
    """The condition of that type, if it was ever set."""
    return next((c for c in conditions if c.type == type), None)


def with_condition(conditions: list[Condition], new: Condition) -> list[Condition]:
    """`conditions` with `new` in place; its transition time is kept from before while the status stays the same."""
    old = condition_of(conditions, new.type)
    if old is not None and old.status == new.status:
        new = new.model_copy(update={"last_transition_time": old.last_transition_time})
    if old is None:
        return [*conditions, new]
    return [new if c.type == new.type else c for c in conditions]
