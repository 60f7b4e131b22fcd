# Generated from aio.py beside it by `make generate`: change that one.
"""The blocking client: typed verbs over one host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2

from tenure.client import calls
from tenure.client.calls import Call, ObjectList, Propagation, WatchEvent
from tenure.client.connection import Connection, ConnectionSource
from tenure.client.errors import Gone, NotFound, Unreachable, Unreadable, WaitTimeout
from tenure.client.transport import http_options, never_sent, pause_seconds, watch_timeout

if TYPE_CHECKING:
    from tenure.resources import ApiObject

T = TypeVar("T", bound="ApiObject")
_Https = list[httpx2.Client]
GONE_LOOK_SECONDS = 0.1


class Client:
    """Typed verbs over one host, ours or a Kubernetes API server.

    Objects are the models of `tenure.resources`. `namespace=None` means the connection's namespace for one object and
    all namespaces for `list` and `watch`. Every verb raises the errors of `tenure.client.errors`, among them
    `Unreachable` when no answer came.
    """

    def __init__(self, source: Connection | ConnectionSource) -> None:
        """`source` is a connection, or a function that finds one and is asked again when the host has moved."""
        self._source: ConnectionSource = source if callable(source) else lambda: source
        self._connection = self._source()
        self._http = httpx2.Client(**http_options(self._connection))
        self._retired: _Https = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        for http in (self._http, *self._retired):
            http.close()

    @property
    def namespace(self) -> str:
        """The namespace used where none is named."""
        return self._connection.namespace

    def get(self, model: type[T], name: str, *, namespace: str | None = None) -> T:
        """One object as the host has it now. Raises NotFound."""
        return calls.decode(model, self.send(calls.get(model, name, namespace or self.namespace)))

    def list(
        self,
        model: type[T],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> ObjectList[T]:
        """Every object that matches, all at one resource version (a consistent read), however many pages that takes.

        Those that this version refuses as they are stored are told beside the others, as `unreadable`.
        """
        for attempt in range(3):
            try:
                return self._list(model, namespace, label_selector, field_selector)
            except Gone:  # the log was compacted between two pages
                if attempt == 2:
                    raise
        raise AssertionError("the loop returns or raises")

    def create(self, obj: T, *, dry_run: bool = False) -> T:
        """Create it; returns it as stored. Raises AlreadyExists, Invalid, Forbidden. Its status is ignored."""
        return calls.decode(type(obj), self.send(calls.create(obj, self._of(obj), dry_run)))

    def replace(self, obj: T, *, dry_run: bool = False) -> T:
        """Compare-and-swap by metadata.resource_version; the status is ignored. Raises Conflict, NotFound, Invalid."""
        return calls.decode(type(obj), self.send(calls.replace(obj, self._of(obj), "", dry_run)))

    def replace_status(self, obj: T, *, dry_run: bool = False) -> T:
        """Compare-and-swap of the status alone. Raises Conflict, NotFound, Invalid, Forbidden."""
        return calls.decode(type(obj), self.send(calls.replace(obj, self._of(obj), "status", dry_run)))

    def patch(
        self,
        model: type[T],
        name: str,
        change: Mapping[str, Any],
        *,
        namespace: str | None = None,
        dry_run: bool = False,
    ) -> T:
        """Apply a JSON merge patch (wire names, camelCase); put metadata.resourceVersion in it to compare and swap."""
        call = calls.patch(model, name, change, namespace or self.namespace, "", dry_run)
        return calls.decode(model, self.send(call))

    def patch_status(
        self,
        model: type[T],
        name: str,
        change: Mapping[str, Any],
        *,
        namespace: str | None = None,
        dry_run: bool = False,
    ) -> T:
        """Apply a JSON merge patch of the form {"status": {...}} to the status subresource."""
        call = calls.patch(model, name, change, namespace or self.namespace, "status", dry_run)
        return calls.decode(model, self.send(call))

    def delete(
        self,
        model: type[T],
        name: str,
        *,
        namespace: str | None = None,
        propagation: Propagation = "Background",
        uid: str | None = None,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> None:
        """Delete it, or mark it where finalizers hold it. `uid` and `resource_version` are preconditions."""
        self.send(calls.delete(model, name, namespace or self.namespace, propagation, uid, resource_version, dry_run))

    def watch(
        self,
        model: type[T],
        *,
        namespace: str | None = None,
        resource_version: str = "",
        label_selector: str | None = None,
        field_selector: str | None = None,
        bookmarks: bool = False,
        for_seconds: float | None = None,
        give_up_after_seconds: float | None = None,
    ) -> Iterator[WatchEvent[T]]:
        """Every change after `resource_version`, in order, each once, across disconnects and restarts of the host.

        Without a version the objects of now come first, as ADDED. Raises Gone when the version has left the log (list
        again), Unreachable when the first attempt fails or the host stays away for `give_up_after_seconds` (None: it
        keeps trying). `bookmarks` also yields BOOKMARK events, which carry a version and no object. `for_seconds` ends
        it after that time (None: never).
        """
        version = resource_version
        if not version:
            # Told by a list, which is one moment: a watch cut while it tells the present could not be resumed.
            listed = self.list(model, namespace=namespace, label_selector=label_selector, field_selector=field_selector)
            seen: list[T | Unreadable] = [*listed.readable, *listed.unreadable]
            for found in seen:
                yield calls.added(found)
            version = listed.resource_version
        end = None if for_seconds is None else time.monotonic() + for_seconds
        away_since: float | None = None
        failures = 0
        answered = not resource_version  # by the list
        while True:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return
            call = calls.watch(model, namespace, version, label_selector, field_selector, left)
            try:
                for line in self._lines(call, left):
                    event = calls.read_event(model, line)
                    version, answered = event.resource_version, True
                    away_since, failures = None, 0
                    if event.type != "BOOKMARK" or bookmarks:
                        yield event
                answered, failures = True, 0
            except Unreachable:
                if not answered:
                    raise
                now = time.monotonic()
                away_since = away_since or now
                if give_up_after_seconds is not None and now - away_since >= give_up_after_seconds:
                    raise
                failures += 1
                pause = pause_seconds(failures)
                time.sleep(pause if left is None else min(pause, left))
                self._reconnect()

    def wait_for(
        self,
        model: type[T],
        name: str,
        predicate: Callable[[T], bool],
        *,
        namespace: str | None = None,
        timeout_seconds: float,
        wanted: str = "as wanted",
    ) -> T:
        """The object as soon as `predicate` is true of it, which in words is `wanted`.

        Raises NotFound when it does not exist or is deleted meanwhile, WaitTimeout when the time is over.
        """
        where = namespace or self.namespace
        end = time.monotonic() + timeout_seconds
        while True:
            found = self.get(model, name, namespace=where)
            if predicate(found):
                return found
            left = end - time.monotonic()
            if left <= 0:
                raise WaitTimeout(f"{model.__name__} {name} was not {wanted} within {timeout_seconds:g} s")
            try:
                for event in self.watch(
                    model,
                    namespace=where,
                    resource_version=found.metadata.resource_version or "",
                    field_selector=f"metadata.name={name}",
                    for_seconds=left,
                ):
                    if event.type == "DELETED" or event.object is None:
                        raise NotFound(f"{model.__name__} {name} was deleted", code=404)
                    if predicate(event.object):
                        return event.object
            except Gone:
                continue

    def wait_deleted(
        self, model: type[ApiObject], name: str, *, namespace: str | None = None, timeout_seconds: float
    ) -> None:
        """Return once the object is gone, or was never there. Raises WaitTimeout."""
        end = time.monotonic() + timeout_seconds
        while True:
            left = max(0.0, end - time.monotonic())
            try:
                self.wait_for(model, name, lambda _: False, namespace=namespace, timeout_seconds=left)
            except NotFound:
                return
            except Unreadable as error:  # whatever is in it: whether it is there is all that counts
                if not left:
                    raise WaitTimeout(f"{error.kind} {name} was still there after {timeout_seconds:g} s") from error
                time.sleep(GONE_LOOK_SECONDS)

    def version(self) -> dict[str, Any]:
        """What the host says of itself at /version."""
        answer = self.send(Call("GET", "/version"))
        return dict(answer)

    def send(self, call: Call) -> Any:
        """Send one call and return the JSON of the answer; raises the typed error where the answer is no."""
        try:
            response = self._once(call)
        except Unreachable as error:
            if error.sent and call.method != "GET":
                raise
            # It never arrived, or reading twice does no harm: look where the host is now and ask once more.
            self._reconnect()
            response = self._once(call)
        return calls.read_answer(response.status_code, response.content)

    def _once(self, call: Call) -> httpx2.Response:
        headers = {"Content-Type": call.content_type} if call.body is not None else {}
        try:
            return self._http.request(call.method, call.path, params=call.query, content=call.body, headers=headers)
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error

    def _lines(self, call: Call, seconds: float | None) -> Iterator[str]:
        timeout = watch_timeout(seconds)
        try:
            with self._http.stream("GET", call.path, params=call.query, timeout=timeout) as response:
                if response.status_code >= 400:
                    calls.read_answer(response.status_code, response.read())
                for line in response.iter_lines():
                    if line:
                        yield line
        except httpx2.ReadTimeout as error:
            if seconds is None:
                raise self._unreachable(error) from error
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error

    def _list(
        self, model: type[T], namespace: str | None, label_selector: str | None, field_selector: str | None
    ) -> ObjectList[T]:
        told: list[WatchEvent[T]] = []
        token = ""
        while True:
            call = calls.list_page(model, namespace, label_selector, field_selector, token)
            page = self.send(call)
            told += calls.read_page(model, page)
            token = page["metadata"].get("continue") or ""
            if not token:
                return calls.listed(told, page["metadata"]["resourceVersion"])

    def _reconnect(self) -> None:
        connection = self._source()
        if connection != self._connection:
            # What is under way ends on the old one by itself.
            self._retired.append(self._http)
            self._connection = connection
            self._http = httpx2.Client(**http_options(connection))

    def _of(self, obj: ApiObject) -> str:
        return obj.metadata.namespace or self.namespace

    def _unreachable(self, error: Exception) -> Unreachable:
        text = str(error) or type(error).__name__
        return Unreachable(f"{self._connection.url} does not answer: {text}", sent=not never_sent(error))
