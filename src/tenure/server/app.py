"""The Starlette application: every route made from the table of kinds, and the gate that each request passes."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import tenure
from tenure.resources import KINDS, Kind
from tenure.server import answers, collection_requests, discovery, metrics, object_requests, schemas
from tenure.server.authorization import identify
from tenure.server.host import Host
from tenure.server.refusals import Refused, from_store, refused
from tenure.store import StoreBusyError, StoreError, StoreUnwritableError

Endpoint = Callable[[Request], Awaitable[Response]]
log = logging.getLogger(__name__)

# Kubernetes lets anybody ask these; they say nothing of the objects.
_OPEN_PATHS = ("/livez", "/readyz", "/healthz", "/version")


def make_app(host: Host) -> ASGIApp:
    """The application of one host."""
    routes = [*_fixed_routes(host), *(route for kind in KINDS for route in _routes(host, kind))]
    handlers: dict[Any, Any] = {
        Refused: _on_refused,
        StoreError: _on_store_error,
        HTTPException: _on_http,
        Exception: _on_bug,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    return Gate(app, host)


class Gate:
    """Outermost: who asks, and a count of the answers. Everything behind it knows `request.state.identity`."""

    def __init__(self, app: ASGIApp, host: Host) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 here, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        code = 0

        async def counted(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            if scope["path"] not in _OPEN_PATHS:
                authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
                scope.setdefault("state", {})["identity"] = identify(self._host.tokens, authorization)
            await self._app(scope, receive, counted)
        except Refused as refusal:
            await answers.refused_response(refusal)(scope, receive, counted)
        finally:
            metrics.count(self._host, scope["method"], scope["path"], code, time.perf_counter() - started)


def _fixed_routes(host: Host) -> list[BaseRoute]:
    """Routes that no kind brings."""

    def fixed(path: str, content: Callable[[Request], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            return answers.json_response(content(request))

        return Route(path, endpoint, methods=["GET"])

    def discovered(path: str, one_by_one: Callable[[], Any], groups: list[str]) -> Route:
        async def endpoint(request: Request) -> Response:
            if discovery.wants_aggregated(request.headers.get("accept", "")):
                return discovery.aggregated_response(groups)
            return answers.json_response(one_by_one())

        return Route(path, endpoint, methods=["GET"])

    async def ready(_: Request) -> Response:
        """Ready means that writes are taken; reads may go on where it says no. After a failed write one is tried."""
        refusal = host.store.trouble
        if refusal is not None and host.store.refusal is None:
            try:
                await asyncio.to_thread(host.store.try_writing)
                refusal = None
            except (StoreUnwritableError, StoreBusyError) as error:
                return PlainTextResponse(f"writes are refused: {error}", 503)
        return PlainTextResponse(f"writes are refused: {refusal}", 503) if refusal else PlainTextResponse("ok")

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def measures(_: Request) -> Response:
        return PlainTextResponse(metrics.text(host), media_type="text/plain; version=0.0.4")

    routes: list[BaseRoute] = [
        fixed("/version", lambda _: version()),
        discovered("/api", discovery.api_versions, [""]),
        fixed("/api/v1", lambda _: discovery.resources("", "v1")),
        discovered("/apis", discovery.groups, discovery.group_names()),
        Route("/livez", live),
        Route("/healthz", live),
        Route("/readyz", ready),
        Route("/metrics", measures),
        fixed("/openapi/v3", lambda _: schemas.index()),
        Route("/openapi/v3/{path:path}", schemas.document),
        Route("/openapi/v2", schemas.document_v2),
    ]
    for group in discovery.group_names():
        routes.append(fixed(f"/apis/{group}", lambda _, g=group: discovery.group(g)))  # type: ignore[misc]
        for v in discovery.versions_of(group):
            routes.append(fixed(f"/apis/{group}/{v}", lambda _, g=group, v=v: discovery.resources(g, v)))  # type: ignore[misc]
    return routes


def _routes(host: Host, kind: Kind) -> list[BaseRoute]:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    inside = f"{root}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
    one = {"GET": object_requests.get, "PUT": object_requests.replace, "PATCH": object_requests.patch}

    def collection(handler: Callable[..., Awaitable[Response]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await handler(host, kind, request, request.path_params.get("namespace"))

        return endpoint

    def single(handler: Callable[..., Awaitable[Response]], subresource: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            namespace, name = request.path_params.get("namespace", ""), request.path_params["name"]
            return await handler(host, kind, request, namespace, name, subresource)

        return endpoint

    routes: list[BaseRoute] = [
        _by_method(
            inside,
            {
                "GET": collection(collection_requests.get),
                "POST": collection(collection_requests.create),
                "DELETE": collection(collection_requests.delete),
            },
        ),
        _by_method(
            f"{inside}/{{name}}",
            {method: single(handler, "") for method, handler in {**one, "DELETE": object_requests.delete}.items()},
        ),
    ]
    if kind.namespaced:
        routes.append(_by_method(f"{root}/{kind.plural}", {"GET": collection(collection_requests.get)}))
    if kind.status_subresource:
        routes.append(
            _by_method(
                f"{inside}/{{name}}/status", {method: single(handler, "status") for method, handler in one.items()}
            )
        )
    return routes


def _by_method(path: str, endpoints: dict[str, Endpoint]) -> Route:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await endpoints[method](request)

    return Route(path, endpoint, methods=list(endpoints))


def version() -> dict[str, str]:
    """GET /version: the numbers say which Kubernetes conventions are followed, gitVersion also whose host it is."""
    return {
        "major": "1",
        "minor": "32",
        "gitVersion": f"v1.32.0+tenure-{tenure.__version__}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "",
    }


async def _on_refused(_: Request, refusal: Refused) -> Response:
    return answers.refused_response(refusal)


async def _on_store_error(_: Request, error: StoreError) -> Response:
    return answers.refused_response(from_store(error))


async def _on_http(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        said = f"{request.method} is not served at {request.url.path}"
        return answers.refused_response(refused(405, "MethodNotAllowed", said))
    said = "the server could not find the requested resource"
    group = request.url.path.split("/")[2] if request.url.path.startswith("/apis/") else ""
    if group in discovery.LEFT_OUT:
        said += f": the embedded host leaves out {discovery.LEFT_OUT[group]}"
    return answers.refused_response(refused(404, "NotFound", said, step="see `tenure api-resources`"))


async def _on_bug(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    message = f"Tenure failed at this request ({type(error).__name__}); its log says where"
    return answers.refused_response(refused(500, "InternalError", message))
