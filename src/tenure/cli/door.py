"""The one door, as commands use it: verbs on objects that stay the JSON that the host sent."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from tenure.cli import requests, screen
from tenure.cli.options import Reach
from tenure.cli.requests import JsonObject
from tenure.client import Client, InvalidName, NotFound, ObjectList, source_named
from tenure.client.calls import Call, segment, typed
from tenure.resources import Kind

if TYPE_CHECKING:
    from tenure import sdk
    from tenure.resources import ApiObject

T = TypeVar("T", bound="ApiObject")


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch: ADDED, MODIFIED or DELETED, and the object as JSON."""

    type: str
    content: JsonObject


class Door:
    """Verbs over one host. Raises the errors of `tenure.client`."""

    def __init__(self, host: Client, namespace: str, typed_host: "Callable[[], sdk.Client]") -> None:
        self.host = host
        self.namespace = namespace
        self._typed_host = typed_host

    @cached_property
    def client(self) -> "sdk.Client":
        """The SDK's client of the same host; opened by who needs it, for it brings every model along."""
        return self._typed_host()

    def send(self, call: Call) -> Any:
        """The JSON of the answer to one call."""
        return self.host.send(call)

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> JsonObject:
        """One object. Raises NotFound."""
        return dict(self.send(requests.read(kind, name, namespace or self.namespace)))

    def find(self, kind: Kind, name: str, namespace: str | None = None) -> JsonObject | None:
        """One object, or None when there is none. Raises InvalidName where none can have that name."""
        try:
            return self.get(kind, name, namespace)
        except InvalidName:
            raise
        except NotFound:
            return None

    def list(
        self, kind: Kind, namespace: str | None, labels: str = "", fields: str = ""
    ) -> tuple[list[JsonObject], str]:
        """All objects that match (`namespace` None: everywhere), and the version from which to watch on."""
        items: list[JsonObject] = []
        token = ""
        while True:
            answer = self.send(requests.page(kind, namespace, labels, fields, token))
            items += [typed(kind, item) for item in answer["items"]]
            token = answer["metadata"].get("continue") or ""
            if not token:
                return items, str(answer["metadata"]["resourceVersion"])

    def watch(
        self,
        kind: Kind,
        namespace: str | None,
        version: str,
        labels: str = "",
        fields: str = "",
        for_seconds: float | None = None,
    ) -> Iterator[Change]:
        """Every change after `version`, across restarts of the host; ends after `for_seconds` (None: never)."""
        events = self.host.watch(
            kind.model,
            namespace=namespace,
            resource_version=version,
            label_selector=labels or None,
            field_selector=fields or None,
            for_seconds=for_seconds,
        )
        for event in events:
            if event.unreadable is not None:
                yield Change(event.type, dict(event.unreadable.content))
            elif event.object is not None:
                yield Change(event.type, event.object.to_json())


def readable(found: ObjectList[T]) -> list[T]:
    """What can be read of a list; of what cannot, a line beside the answer says where it is wrong and what to do."""
    for unread in found.unreadable:
        screen.note(f"passed over: {unread}")
    return found.readable


@contextmanager
def open_door(reach: Reach) -> Iterator[Door]:
    """The host that the options, else TENURE_HOME, name. Raises NoConnection where nothing says where it is, and
    InvalidName."""
    if reach.namespace is not None:
        # Empty is what a variable of the shell leaves that is not set, and means no other namespace.
        segment(reach.namespace, "namespace")
    source = source_named(None, reach.kubeconfig, reach.context)
    with ExitStack() as opened:
        host = opened.enter_context(Client(source))
        namespace = reach.namespace or host.namespace

        def typed_host() -> "sdk.Client":
            from tenure import sdk

            return opened.enter_context(sdk.Client(source, namespace=namespace))

        yield Door(host, namespace, typed_host)
