"""Contracts as they may be shown now: what was written of one ages, and whoever wrote it may be gone.

Ready of a Contract is held against the host's clock, start and disk in whatever answer one leaves the door, also as the
last that is told of it when it is deleted. What is stored stays as it is, and controllers read that: it is they who
look.
"""

import json
from collections.abc import Callable

from tenure.resources import Kind
from tenure.resources.freshness import ready_as_of
from tenure.server.authorization import Identity
from tenure.server.host import Host
from tenure.store import Stored


def body_shown(host: Host, kind: Kind, identity: Identity) -> Callable[[str], str]:
    """Makes of an object's stored JSON text what this reader is shown of it now."""
    if kind.kind != "Contract" or identity == "controllers":
        return _as_it_is

    def shown(body: str) -> str:
        refusal = host.store.trouble
        if refusal is None and '"observedAt"' not in body:
            return body  # it rests on nothing that ages; a fleet's thousands are not parsed for that
        content = json.loads(body)
        aged = ready_as_of(
            content, host.clock.now_ms(), since_ms=host.began_ms, refusal=str(refusal) if refusal else ""
        )
        return body if aged is content else json.dumps(aged, ensure_ascii=False, separators=(",", ":"))

    return shown


def shown(host: Host, kind: Kind, identity: Identity, stored: Stored) -> Stored:
    """The same of a stored object."""
    body = body_shown(host, kind, identity)(stored.body)
    return stored if body is stored.body else Stored(stored.namespace, stored.name, stored.version, body)


def _as_it_is(body: str) -> str:
    return body
