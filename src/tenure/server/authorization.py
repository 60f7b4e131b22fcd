"""Who asks, and what they may: two identities, each with a bearer token in a file that its owner alone can read."""

import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from tenure.resources import Kind
from tenure.resources.reasons import next_step
from tenure.server.refusals import Cause, Refused, refused

Identity = Literal["user", "controllers"]
Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete"]

IDENTITIES: tuple[Identity, ...] = ("user", "controllers")
_TOKEN_BYTES = 32
_WRITES = ("create", "update", "patch")


def tokens_of(home: Path) -> dict[Identity, str]:
    """The token of each identity, made (0600) where there is none. Raises PermissionError when others could read."""
    directory = home / "tokens"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {identity: _token(directory / identity) for identity in IDENTITIES}


def identify(tokens: Mapping[Identity, str], authorization: str) -> Identity:
    """Whose token the Authorization header carries. Raises 401."""
    scheme, _, presented = authorization.partition(" ")
    if scheme.lower() == "bearer":
        for identity, token in tokens.items():
            if hmac.compare_digest(presented.strip().encode(), token.encode()):
                return identity
    step = next_step("Unauthorized")
    raise refused(401, "Unauthorized", f"no valid bearer token; {step}", "Authorization")


def require_allowed(identity: Identity, verb: Verb, kind: Kind, subresource: str, name: str) -> None:
    """Raises 403 unless this identity may do that. Whatever the controllers alone may write, users may still delete."""
    if identity == "controllers" or verb not in _WRITES:
        return
    if subresource:
        field, step = subresource, "change the spec instead"
        why = f"{kind.plural}/{subresource} is written by Tenure's controllers only; {step}"
    elif kind.controllers_only:
        field, step = "kind", "write a Workload and accept an Offer instead"
        why = f"{kind.plural} are made and changed by Tenure only; {step}"
    else:
        return
    qualified = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    cause = Cause(field, "Forbidden", why, step)
    message = f'{qualified} "{name}" is forbidden: {identity} cannot {verb}: {why}'
    raise Refused(403, "Forbidden", message, cause, kind=kind.plural, group=kind.group, name=name)


def _token(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise PermissionError(f"{path} can be read by others; make it 0600, or delete it for a new token") from None
        token = path.read_text().strip()
        if token:
            return token
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token
