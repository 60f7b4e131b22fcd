"""Secrets that a run's variables come from: there, with the key that is named, and text."""

from tenure.client import NotFound
from tenure.controllers.plane import Plane
from tenure.resources import Secret
from tenure.resources.kinds.workload import WorkloadSpec


async def lacking_secret(plane: Plane, spec: WorkloadSpec, namespace: str | None) -> str | None:
    """What the first variable whose Secret is not there lacks; None where nothing does."""
    for place, variable in enumerate(spec.run.env if spec.run else ()):
        if variable.secret is None:
            continue
        try:
            await secret_text(plane, variable.secret, namespace)
        except LookupError as error:
            return f"spec.run.env[{place}].secret: {error.args[0]}"
    return None


async def secret_text(plane: Plane, named: str, namespace: str | None) -> str:
    """The text under NAME/KEY. Raises LookupError with what is missing, in words that show nothing of what is there."""
    name, _, key = named.partition("/")
    try:
        secret = await plane.client.get(Secret, name, namespace=namespace)
    except NotFound:
        raise LookupError(f"no Secret is named {name} in namespace {namespace}") from None
    try:
        return secret.text(key)
    except KeyError:
        raise LookupError(f"Secret {name} has no key {key}") from None
    except ValueError:
        raise LookupError(f"what Secret {name} has under {key} is no text") from None
