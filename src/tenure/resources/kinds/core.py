"""The few core kinds that the embedded host serves, as Kubernetes defines them."""

import base64
from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from tenure.quantities import Instant
from tenure.resources.base import ApiObject, Strict


class Lenient(Strict):
    """Core kinds are Kubernetes' own: fields that we do not use are kept, not refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


class NamespaceSpec(Lenient):
    """Kubernetes' finalizer list of a namespace."""

    finalizers: list[str] = Field(default_factory=lambda: ["kubernetes"])


class NamespaceStatus(Lenient):
    """Active, or Terminating while its contents go."""

    phase: Literal["Active", "Terminating"] = "Active"
    conditions: list[dict[str, Any]] = Field(default_factory=list)


class Namespace(ApiObject):
    """A scope of names."""

    api_version: str = "v1"
    kind: Literal["Namespace"] = "Namespace"
    spec: NamespaceSpec = Field(default_factory=NamespaceSpec)
    status: NamespaceStatus | None = None


class Secret(ApiObject):
    """Small confidential data, base64 in `data`."""

    api_version: str = "v1"
    kind: Literal["Secret"] = "Secret"
    type: str = "Opaque"
    data: dict[str, str] = Field(default_factory=dict)
    string_data: dict[str, str] | None = None
    immutable: bool | None = None

    def text(self, key: str) -> str:
        """The value of `key` as text."""
        return base64.b64decode(self.data[key]).decode()


class ObjectReference(Lenient):
    """Which object an event is about."""

    api_version: str | None = None
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    field_path: str | None = None


class EventSource(Lenient):
    """Which component reported."""

    component: str | None = None
    host: str | None = None


class Event(ApiObject):
    """Something that happened to an object, for people."""

    api_version: str = "v1"
    kind: Literal["Event"] = "Event"
    involved_object: ObjectReference
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    source: EventSource | None = None
    count: int | None = None
    first_timestamp: Instant | None = None
    last_timestamp: Instant | None = None
    event_time: str | None = None
    action: str | None = None
    reporting_component: str | None = None
    reporting_instance: str | None = None
    series: dict[str, Any] | None = None
    related: ObjectReference | None = None


class LeaseSpec(Lenient):
    """Who holds it, and until when."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(ApiObject):
    """A lock with an end, used to elect one set of controllers."""

    api_version: str = "coordination.k8s.io/v1"
    kind: Literal["Lease"] = "Lease"
    spec: LeaseSpec = Field(default_factory=LeaseSpec)
