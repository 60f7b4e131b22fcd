"""Objects that a reconciler keeps failing on say so themselves: a condition and an event, not only the server's log.

What goes by at the next try is not worth a word. What stays is said once it has lasted a while, said again at most
every half minute however often it fails or goes well meanwhile (the event then counts), and taken back when it goes.
Saying it never fails anybody: where the host cannot be written to, the log has it all the same.

An object may be a tenant's, and the words of an exception may be anybody's (a path, a name): it says the type of the
fault, and where the log is that has the rest.
"""

import typing
from collections.abc import Collection
from dataclasses import dataclass

import structlog

from tenure.client import AsyncClient, NotFound
from tenure.controllers.events import record
from tenure.controllers.kernel.queue import Key
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.quantities import Clock
from tenure.resources import ApiObject, condition_of
from tenure.resources.base import Status
from tenure.resources.reasons import next_step

RECONCILED = "Reconciled"
FAILURES_BORNE = 3
LASTS_MS = 1_500
"""By then the queue tried it half a dozen times."""
SAY_AGAIN_MS = 30_000
log = structlog.get_logger("tenure.controllers")


@dataclass(slots=True)
class _Trouble:
    since_ms: int
    failures: int = 0


class Troubles:
    """What fails of one kind, in all the controllers that look after it. Times are elapsed milliseconds."""

    def __init__(self, client: AsyncClient, model: type[ApiObject], clock: Clock) -> None:
        self._client = client
        self._model = model
        self._clock = clock
        self._found: dict[tuple[int, Key], _Trouble] = {}
        """What fails now, in which controller."""
        self._said_ms: dict[tuple[int, Key], int] = {}
        """When that was said last. It outlives what goes well for a moment, or what comes and goes would be news each
        time."""
        self._shown: dict[Key, set[int]] = {}
        """Objects of which the condition is, or may be, False; with the controllers that are to be done with it first,
        since what an earlier control plane said may have been said of any of them."""

    def note(self, key: Key, obj: ApiObject, controllers: Collection[int]) -> None:
        """An object as it was seen, and the controllers of its kind whose turn it is now: what was said of it before
        this control plane began is to be taken back too."""
        said = condition_of(getattr(getattr(obj, "status", None), "conditions", []), RECONCILED)
        if said is not None and said.status == "False":
            self._shown.setdefault(key, set(controllers))

    async def failed(self, controller: int, key: Key, error: Exception) -> None:
        """One more failure of this controller on an object."""
        now_ms = self._now_ms()
        trouble = self._found.setdefault((controller, key), _Trouble(now_ms))
        trouble.failures += 1
        lasts = trouble.failures >= FAILURES_BORNE and now_ms - trouble.since_ms >= LASTS_MS
        if lasts and not self._said_lately((controller, key), now_ms):
            self._said_ms[controller, key] = now_ms
            await self._say(key, words_of(error))

    async def went_well(self, controller: int, key: Key) -> int | None:
        """This controller is done with an object, or knows what it waits for. Returns in how many milliseconds to come
        again where what was said could not be taken back."""
        self._found.pop((controller, key), None)
        first = self._shown.get(key)
        if first is None:
            return None
        first.discard(controller)
        if first or any(of == key for _, of in self._found):
            return None
        del self._shown[key]  # before it is written: another controller may say something meanwhile
        if await self._say(key, None):
            return None
        self._shown.setdefault(key, set())
        return SAY_AGAIN_MS

    def _now_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000

    def _said_lately(self, of: tuple[int, Key], now_ms: int) -> bool:
        # They lie in the order in which they were said, so what is past lies first.
        while self._said_ms and now_ms - next(iter(self._said_ms.values())) >= SAY_AGAIN_MS:
            del self._said_ms[next(iter(self._said_ms))]
        return of in self._said_ms

    async def _say(self, key: Key, why: str | None) -> bool:
        """Why it fails; None that it does not any more. Returns whether there is nothing left to say."""
        try:
            obj = await self._client.get(self._model, key.name, namespace=key.namespace or None)
            await self._write(obj, why)
            if why is not None:
                self._shown.setdefault(key, set())
                await record(self._client, obj, "ReconcileFailed", why, self._clock, warning=True)
        except NotFound:
            return True  # with the object went what was said of it
        except Exception as error:  # whatever it is: who only says that something failed does not fail as well
            log.info("trouble not said", kind=self._model.__name__, object=key.name, because=str(error))
            return False
        return True

    async def _write(self, obj: ApiObject, why: str | None) -> None:
        made = _status_of(self._model)
        if made is None:
            return
        reason = "Reconciled" if why is None else "ReconcileFailed"
        said = condition(RECONCILED, why is None, reason, why or "", self._clock)

        def change(status: Status) -> Status:
            return status.model_copy(update={"conditions": set_conditions(status.conditions, said)})

        await update_status(self._client, obj, change, made())


def words_of(error: Exception) -> str:
    """What is said of a failure: of which type it is, and where the rest is."""
    return f"the control plane keeps failing on it ({type(error).__name__}); {next_step('ReconcileFailed')}"


def _status_of(model: type[ApiObject]) -> type[Status] | None:
    """The status of a kind, where it has one with conditions."""
    field = model.model_fields.get("status")
    for one in typing.get_args(field.annotation) if field is not None else ():
        if isinstance(one, type) and issubclass(one, Status):
            return one
    return None
