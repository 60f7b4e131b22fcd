"""An object that is being deleted waits until nobody stands on it, says for whom, and takes no new work meanwhile."""

from tenure.client import NotFound, Unreadable
from tenure.client.finalizers import drop_finalizer_unread
from tenure.controllers.in_use.finalizer import GUARDED, IN_USE_FINALIZER, guard, is_guarded, let_go
from tenure.controllers.in_use.users import Books, User, is_of_another_site, named
from tenure.controllers.kernel import Controller, Key, KeysOf, Wait
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.ledger.decision import capacity
from tenure.resources import ApiObject, Contract, Engine, HardwareProfile, Machine, Model, Offer, Site
from tenure.resources.base import Status
from tenure.resources.kinds.engine import EngineStatus
from tenure.resources.kinds.machine import MachineStatus
from tenure.resources.kinds.model import ModelStatus
from tenure.resources.kinds.site import SiteStatus

LOOK_AGAIN_MS = 10_000
"""For what wakes nobody; the end of a contract or an offer does."""
OVER = ("Ended", "Expired", "Withdrawn", "Accepted")
"""What stood on an accepted offer stands on its contract from then on."""
STATUSES: dict[type[ApiObject], type[Status]] = {
    Site: SiteStatus,
    Machine: MachineStatus,
    Engine: EngineStatus,
    Model: ModelStatus,
}
NEXT_STEP = "`tenure end NAME` ends a contract before its term; an offer that nobody accepts expires"
MACHINES_FIRST = "`tenure delete machine NAME` deletes a machine that has it"


def in_use_controllers(plane: Plane) -> list[Controller]:
    """One controller a kind that contracts stand on."""
    controllers = []
    for model in GUARDED:
        reconciler = InUseReconciler(plane, model)
        listens: dict[type[ApiObject], KeysOf] = {Offer: reconciler.woken_by_end, Contract: reconciler.woken_by_end}
        if model is HardwareProfile:
            listens[Machine] = profile_of_deleted
        controllers.append(Controller(model, reconciler, also={model: reconciler.keys, **listens}, workers=1))
    return controllers


def profile_of_deleted(obj: ApiObject) -> list[Key]:
    """The profile that a machine which is being deleted, and then is gone, had until then."""
    assert isinstance(obj, Machine)
    return [Key("", obj.spec.profile)] if obj.metadata.deletion_timestamp is not None else []


class InUseReconciler:
    """One object of its kind at a time."""

    def __init__(self, plane: Plane, model: type[ApiObject]) -> None:
        self._plane = plane
        self._model = model
        self._books = Books(plane)
        self._waiting: dict[Key, frozenset[str] | None] = {}
        """What is being deleted, and the uids of those that it waits for; None while that is looked at."""

    def keys(self, obj: ApiObject) -> list[Key]:
        """What a watched object of the kind wakes: itself, where it is being deleted or not guarded yet."""
        if is_of_another_site(self._plane, obj):
            return []
        due = obj.metadata.deletion_timestamp is not None or not is_guarded(obj)
        return [Key("", obj.name)] if due else []

    def woken_by_end(self, obj: ApiObject) -> list[Key]:
        """Those that wait for a contract or an offer, when it is over."""
        assert isinstance(obj, Offer | Contract)
        if obj.status is None or obj.status.phase not in OVER:
            return []
        return [key for key, users in self._waiting.items() if users is None or obj.uid in users]

    async def reconcile(self, key: Key) -> Wait | None:
        """Guard it; once it is being deleted, let it go when nobody stands on it any more."""
        plane = self._plane
        try:
            obj = await plane.client.get(self._model, key.name)
        except NotFound:
            self._waiting.pop(key, None)
            return None
        except Unreadable as unread:
            return await self._unread(key, unread)
        if is_of_another_site(plane, obj):
            return None
        if obj.metadata.deletion_timestamp is None:
            await guard(plane.client, obj)
            return None
        if not is_guarded(obj):
            return None
        self._waiting[key] = None
        if isinstance(obj, Machine):
            await self._drain(obj)
        users = await self._books.users_of(obj)
        self._waiting[key] = frozenset(user.uid for user in users)
        if users:
            await self._say(obj, users)
            return Wait(LOOK_AGAIN_MS)
        await let_go(plane.client, obj)
        self._waiting.pop(key, None)
        return None

    async def _unread(self, key: Key, unread: Unreadable) -> Wait | None:
        """One that this version refuses as it is stored is passed over, and can be deleted all the same."""
        if not unread.is_going or IN_USE_FINALIZER not in (unread.metadata.get("finalizers") or ()):
            return None
        self._waiting[key] = None
        users = await self._books.users_of_unread(self._model, unread)
        self._waiting[key] = frozenset(user.uid for user in users)
        if users:
            return Wait(LOOK_AGAIN_MS)
        await drop_finalizer_unread(self._plane.client, self._model, unread, IN_USE_FINALIZER)
        self._waiting.pop(key, None)
        return None

    async def _drain(self, machine: Machine) -> None:
        """A commit after the deletion: whoever planned on the machine before it plans anew, and finds it draining."""
        if machine.status is None or machine.status.state in ("Draining", "Failed", "Retired"):
            return
        try:
            await self._plane.allocator.decide(
                lambda view, fleet, now_ms: capacity(machine.name, machine.uid, "Draining", "Drained")  # noqa: ARG005
            )
        except NotFound:
            return  # no site, no ledger: nothing is planned

    async def _say(self, obj: ApiObject, users: list[User]) -> None:
        step = MACHINES_FIRST if isinstance(obj, HardwareProfile) else NEXT_STEP
        message = f"{named(users)} stand{'s' if len(users) == 1 else ''} on it; {step}"
        said = condition("Released", False, "WaitingForRelease", message, self._plane.clock)
        await update_status(
            self._plane.client,
            obj,
            lambda status: status.model_copy(update={"conditions": set_conditions(status.conditions, said)}),
            STATUSES.get(self._model, Status)(),
        )
