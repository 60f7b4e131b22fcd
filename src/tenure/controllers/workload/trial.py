"""Trials: what nobody has measured yet is measured, under a hold of its own, on the very class of hardware.

One at a time for a Workload, whatever becomes of its need or its user's wish meanwhile: what was begun for another need
is over before anything else is begun.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from tenure.controllers.answering.answer import Answered, Knowledge, answer
from tenure.controllers.answering.quotes import Asker, reference_to, short_digest
from tenure.controllers.answering.trial_wish import TrialWish
from tenure.controllers.events import record
from tenure.controllers.kernel import Wait
from tenure.controllers.plane import Plane
from tenure.controllers.trialling.leaving import end_runs, leave
from tenure.controllers.trialling.running import RunningTrial, TrialFailedError
from tenure.controllers.workload.occupied import calendar_of
from tenure.controllers.workload.offering import make_offers, say
from tenure.controllers.workload.trial_status import say_failed, say_measured, say_progress, say_release
from tenure.controllers.workload.wish import key_of, length_of
from tenure.engines import EngineFailure
from tenure.ledger import GONE, Decision, View, hold_offers, nothing
from tenure.ledger.convert import from_placed
from tenure.placement import Fleet
from tenure.quantities import Duration, Instant
from tenure.resources import ObjectMeta, Offer, Runtime, Workload
from tenure.resources.base import OwnerReference
from tenure.resources.kinds.allocation import Promises
from tenure.resources.kinds.contract import OfferSpec

LOOK_MS = 500
STOP_AGAIN_MS = 1_000
AFTER_FAILURE_MS = 30_000
NamedBy = tuple[str, str]
"""A Workload's namespace and name: all that is left of one that is gone. Keys of needs carry its uid as well."""
log = structlog.get_logger("tenure.controllers")


@dataclass(slots=True)
class Trials:
    """The trials in flight, one a Workload, and of each Workload the need whose trial was made since this control plane
    began, or failed.

    That a wish was met is remembered in the status too. A trial that an answer needed is not: its evidence tells, and
    where that is gone, another is due. Of a need that is edited or contracted, and of a Workload that is gone, nothing
    is remembered here.
    """

    plane: Plane
    running: dict[str, RunningTrial] = field(default_factory=dict)
    made: dict[NamedBy, str] = field(default_factory=dict)
    beginning: set[str] = field(default_factory=set)
    """The uids of Workloads whose trial is being held: its Offer may be seen before it is known here."""
    resting: dict[NamedBy, tuple[str, int]] = field(default_factory=dict)
    """Needs whose trial failed, and until when, on the clock that never goes back, ms, each is left alone, whatever
    wakes it."""

    def wish(self, workload: Workload) -> Duration | None:
        """How long its user wants it to be measured, beyond what is needed; None for no wish, or one that was met."""
        return None if self.was_made(workload) else length_of(workload)

    def was_made(self, workload: Workload) -> bool:
        """Whether this need, with this wish, has had its trial."""
        return self.made.get(_named_by(workload)) == key_of(workload)

    def knows(self, offer: Offer) -> bool:
        """Whether something is measured under this offer's hold by this control plane, or is about to be."""
        about_to = offer.spec.workload.uid in self.beginning
        return about_to or any(trial.offer.uid == offer.uid for trial in self.running.values())

    async def run(self, workload: Workload, asker: Asker, known: Knowledge) -> Wait | None:
        """Start the trial."""
        assert known.trial is not None
        self.beginning.add(asker.uid)
        try:
            return await self._begin(workload, asker, known, known.trial)
        finally:
            self.beginning.discard(asker.uid)

    async def look(self, workload: Workload) -> Wait | None:
        """How far the trial of this need is; None when there is none, and its user can be answered.

        What was begun for another need or wish of this Workload is ended first.
        """
        key = key_of(workload)
        trial = self.running.get(key)
        over = trial is not None and trial.done
        failure: EngineFailure | TrialFailedError | None = await self.drop(*_named_by(workload), but=key)
        if failure is None and trial is not None and over:
            failure = await _failure_of(trial)
        stuck = failure if isinstance(failure, EngineFailure) else None
        await say_release(self.plane, workload, stuck)
        if stuck is not None:  # the next look tries it again
            return Wait(STOP_AGAIN_MS)
        if trial is None:
            return self._rest(workload)
        if not over:
            await say_progress(self.plane, workload, trial)
            return Wait(LOOK_MS)
        if failure is not None:
            self._forget(key, trial)
            await say_failed(self.plane, workload, str(failure))
            self.resting[_named_by(workload)] = key, self._steady_ms() + AFTER_FAILURE_MS
            return Wait(AFTER_FAILURE_MS)
        await say_measured(self.plane, workload)
        self._forget(key, trial)
        self.made[_named_by(workload)] = key
        return Wait(1)

    async def leave_off(self, workload: Workload) -> Wait | None:
        """Nobody waits for this Workload's trials any more. Where one cannot be stopped, the Workload says so, and this
        returns when to try again."""
        stuck = await self.drop(*_named_by(workload))
        await say_release(self.plane, workload, stuck)
        return Wait(STOP_AGAIN_MS) if stuck is not None else None

    async def drop(self, namespace: str, name: str, but: str = "") -> EngineFailure | None:
        """Nobody waits for the trials of the Workload of that name any more, apart from the one named by `but`, and
        what is remembered of its other needs is forgotten. Returns why something still runs; then it is to be
        repeated."""
        self._forget_needs((namespace, name), but)
        stuck: EngineFailure | None = None
        for key, trial in list(self.running.items()):
            if key == but or (trial.offer.namespace, trial.offer.spec.workload.name) != (namespace, name):
                continue
            try:
                await trial.abandon()
            except EngineFailure as error:
                stuck = stuck or error
            else:
                self._forget(key, trial)
        return stuck

    async def end(self, offer: Offer) -> bool:
        """Return once nothing runs under a trial's hold that is to be released; its Workload is told at its next look.

        False while the trial only begins: ask again. Raises EngineFailure while something of it still runs.
        """
        for trial in list(self.running.values()):
            if trial.offer.uid == offer.uid:
                await trial.abandon()
                return True
        if offer.spec.workload.uid in self.beginning:
            return False
        await asyncio.to_thread(end_runs, self.plane.engine, offer.spec.hold.id)
        return True

    async def end_without_offer(self, namespace: str, name: str) -> None:
        """Stop what is measured under an Offer that was taken away by force, and its hold with it."""
        for trial in list(self.running.values()):
            if (trial.offer.namespace, trial.offer.name) == (namespace, name):
                with suppress(EngineFailure):  # its Workload's next look tries it again, and says why
                    await trial.abandon()

    async def end_left(self) -> None:
        """Stop and release what a control plane that died was measuring, before anything is measured beside it."""
        for offer in (await self.plane.client.list(Offer)).readable:
            if offer.spec.purpose != "Trial":
                continue
            try:
                await leave(self.plane, offer.uid, offer.spec.hold.id)
            except EngineFailure as error:  # its reconciler tries it again
                log.warning("a trial that was left still runs", offer=offer.name, because=str(error))

    async def close(self) -> None:
        """Stop all trials and what they run."""
        for key, trial in list(self.running.items()):
            try:
                await trial.abandon()
            except Exception as error:  # whoever takes up after this one ends it; the others are stopped all the same
                log.warning("a trial still has its hold", offer=trial.offer.name, because=str(error) or repr(error))
            self._forget(key, trial)

    def _rest(self, workload: Workload) -> Wait | None:
        """How long this need is left alone still. `look` has forgotten what was said of others."""
        _, until_ms = self.resting.get(_named_by(workload), ("", 0))
        left_ms = until_ms - self._steady_ms()
        if left_ms > 0:
            return Wait(left_ms)
        self.resting.pop(_named_by(workload), None)
        return None

    def _steady_ms(self) -> int:
        return self.plane.clock.monotonic_ns() // 1_000_000

    def _forget_needs(self, named: NamedBy, but: str) -> None:
        if self.made.get(named) != but:
            self.made.pop(named, None)
        if self.resting.get(named, ("", 0))[0] != but:
            self.resting.pop(named, None)

    def _forget(self, key: str, trial: RunningTrial) -> None:
        if self.running.get(key) is trial:
            del self.running[key]

    async def _begin(self, workload: Workload, asker: Asker, known: Knowledge, wish: TrialWish) -> Wait | None:
        """Hold what the trial needs; where that cannot be had, the answer rests on what is known."""

        def decide(view: View, fleet: Fleet, now_ms: int) -> Decision:
            if any(r.trial and r.workload_uid == asker.uid for r in view.live()):
                return nothing("WaitingForRelease", "what was measured for this Workload before still has its hold")
            # Offers that are held for this need give way to the measurement that its user asked for.
            own = [r for r in view.group(asker.uid) if r.kind == "Offer"]
            without = view.without({r.uid for r in own})
            said = answer(known, fleet, calendar_of(without, now_ms), asker.uid, now_ms)
            if said.trial_plan is None:
                return nothing("Infeasible", "the trial cannot be held", answer=said)
            trial = _trial_offer(asker, said, known, wish, view.generation, now_ms)
            return hold_offers([trial], replaces=own, answer=said)

        commit = await self.plane.allocator.decide(decide, known.stands_on)
        if commit.refused is not None and commit.refused.reason == "WaitingForRelease":
            return Wait(LOOK_MS)
        if commit.refused is not None and commit.refused.reason == GONE:
            return Wait(1)  # what was gathered is no longer so: gathered anew, it says what is missing
        said: Answered = commit.answer
        if not commit.offers:
            if said.planned:
                return await make_offers(self.plane, workload, asker, replace(known, trial=None), ())
            await say(self.plane, workload, said.answer)
            return Wait(AFTER_FAILURE_MS)
        (offer,) = commit.offers
        if offer.uid not in (await self.plane.allocator.look()).view.records:
            return Wait(LOOK_MS)  # it was deleted before it counted: there is no hold to measure under
        trial = RunningTrial(self.plane, offer, known, wish)
        self.running[key_of(workload)] = trial
        trial.begin()
        await record(self.plane.client, workload, "Trialling", wish.reason, self.plane.clock)
        await say_progress(self.plane, workload, trial)
        return Wait(LOOK_MS)


def _named_by(workload: Workload) -> NamedBy:
    return workload.namespace or "default", workload.name


async def _failure_of(trial: RunningTrial) -> EngineFailure | TrialFailedError | None:
    """Why a trial that is over was not made, or cannot be ended; None where it was made, and its hold is released."""
    try:
        await trial.finish()
    except (EngineFailure, TrialFailedError) as failure:
        return failure
    return None


def _trial_offer(
    asker: Asker, said: Answered, known: Knowledge, wish: TrialWish, generation: int, now_ms: int
) -> Offer:
    """The hold of a trial: an Offer that nobody can accept, which expires with the trial."""
    assert said.trial_plan is not None
    name = f"{asker.name}-trial-{short_digest(asker.uid, asker.need, str(generation))}"
    owner = OwnerReference(
        api_version="tenure.dev/v1alpha1", kind=asker.kind, name=asker.name, uid=asker.uid, controller=True
    )
    return Offer(
        metadata=ObjectMeta(
            name=name,
            namespace=asker.namespace,
            labels={"tenure.dev/workload": asker.name},
            owner_references=[owner],
        ),
        spec=OfferSpec(
            purpose="Trial",
            workload=reference_to(asker),
            promises=Promises(),
            runtime=next((obj.name for obj in known.stands_on if isinstance(obj, Runtime)), None),
            machine=said.trial_plan.claims[0].machine,
            expires_at=Instant(now_ms + wish.duration_ms),
            hold=from_placed(said.trial_plan.hold(f"{asker.uid}-{short_digest(name)}")),
            planned_generation=0,
        ),
    )
