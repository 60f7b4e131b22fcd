"""Writing status: read, change, compare-and-swap, again when somebody else was faster; nothing when nothing changed."""

from collections.abc import Callable
from typing import Any, TypeVar

from tenure.client import AsyncClient, Conflict
from tenure.quantities import Clock
from tenure.resources import ApiObject, Condition, with_condition
from tenure.resources.reasons import BY_CODE, next_step

ATTEMPTS_MAX = 8
T = TypeVar("T", bound=ApiObject)


async def update_status(client: AsyncClient, obj: T, change: Callable[[Any], Any], default: Any) -> T:
    """The object with `change(status)` written; `default` is the status of an object that has none yet.

    Raises NotFound when the object is gone or was replaced by another of the same name.
    """
    current = obj
    for _ in range(ATTEMPTS_MAX):
        before = getattr(current, "status", None) or default
        after = change(before)
        if getattr(current, "status", None) == after:
            return current
        try:
            return await client.replace_status(current.model_copy(update={"status": after}))
        except Conflict:
            current = await client.get(type(obj), obj.name, namespace=obj.namespace)
            if current.uid != obj.uid:
                raise
    raise Conflict(f"the status of {obj.name} kept changing")


def condition(type: str, true: bool | None, reason: str, message: str, clock: Clock) -> Condition:
    """A condition as of now. `true` None is Unknown. The next step of the reason is part of the message."""
    assert reason in BY_CODE, f"{reason} is not in the table of reasons"
    step = next_step(reason)
    text = message if not step or step in message else f"{message}; {step}" if message else step
    status = {True: "True", False: "False", None: "Unknown"}[true]
    return Condition.model_validate(
        {"type": type, "status": status, "reason": reason, "message": text, "last_transition_time": clock.now_ms()}
    )


def set_conditions(conditions: list[Condition], *new: Condition) -> list[Condition]:
    """`conditions` with each of `new` in place, transition times kept where the status stays."""
    for one in new:
        conditions = with_condition(conditions, one)
    return conditions
