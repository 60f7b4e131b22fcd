"""Objects that a reconciler keeps failing on say so themselves: a condition and an event, not only the server's log.

What goes by at the next try is not worth a word. What stays is said once it has lasted a while, said again at most
every half minute however often it fails meanwhile (the event then counts), and taken back when it goes. Saying it never
fails anybody: where the host cannot be written to, the log has it all the same.
"""

import typing
from dataclasses import dataclass

import structlog

from tenure.client import AsyncClient
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
SHOWN_CHARACTERS_MAX = 300
log = structlog.get_logger("tenure.controllers")


@dataclass(slots=True)
class _Trouble:
    since_ms: int
    sort: type[Exception]
    words: str
    """Kept while the sort of failure stays: a message with a figure in it would be another event each time."""
    failures: int = 0
    said_ms: int | None = None


class Troubles:
    """What fails of one kind, in all the controllers that look after it. Times are elapsed milliseconds."""

    def __init__(self, client: AsyncClient, model: type[ApiObject], clock: Clock) -> None:
        self._client = client
        self._model = model
        self._clock = clock
        self._found: dict[tuple[int, Key], _Trouble] = {}
        self._shown: set[Key] = set()
        """Objects of which the condition is, or may be, False."""

    def note(self, key: Key, obj: ApiObject) -> None:
        """An object as it was seen: what was said of it before this control plane began is to be taken back too."""
        said = condition_of(getattr(getattr(obj, "status", None), "conditions", []), RECONCILED)
        if said is not None and said.status == "False":
            self._shown.add(key)

    async def failed(self, controller: int, key: Key, error: Exception) -> None:
        """One more failure of this controller on an object."""
        now_ms = self._clock.monotonic_ns() // 1_000_000
        trouble = self._found.setdefault((controller, key), _Trouble(now_ms, type(error), words_of(error)))
        if trouble.sort is not type(error):
            trouble.sort, trouble.words = type(error), words_of(error)
        trouble.failures += 1
        lasts = trouble.failures >= FAILURES_BORNE and now_ms - trouble.since_ms >= LASTS_MS
        lately = trouble.said_ms is not None and now_ms - trouble.said_ms < SAY_AGAIN_MS
        if lasts and not lately:
            trouble.said_ms = now_ms
            await self._say(key, trouble.words)

    async def went_well(self, controller: int, key: Key) -> None:
        """This controller is done with an object, or knows what it waits for."""
        self._found.pop((controller, key), None)
        if key in self._shown and not any(of == key for _, of in self._found):
            self._shown.discard(key)
            await self._say(key, None)

    async def _say(self, key: Key, why: str | None) -> None:
        """Why it fails; None that it does not any more."""
        try:
            obj = await self._client.get(self._model, key.name, namespace=key.namespace or None)
            await self._write(obj, why)
            if why is not None:
                self._shown.add(key)
                await record(self._client, obj, "ReconcileFailed", why, self._clock, warning=True)
        except Exception as error:  # whatever it is: who only says that something failed does not fail as well
            log.info("trouble not said", kind=self._model.__name__, object=key.name, because=str(error))

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
    """What is said of a failure: enough to find it by, on one line."""
    text = " ".join(str(error).split())
    shown = text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 4] + " ..."
    return f"the control plane keeps failing on it: {type(error).__name__}: {shown}; {next_step('ReconcileFailed')}"


def _status_of(model: type[ApiObject]) -> type[Status] | None:
    """The status of a kind, where it has one with conditions."""
    field = model.model_fields.get("status")
    for one in typing.get_args(field.annotation) if field is not None else ():
        if isinstance(one, type) and issubclass(one, Status):
            return one
    return None
