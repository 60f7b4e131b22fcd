"""Trials: what nobody has measured yet is measured, under a hold of its own, on the very class of hardware."""

from dataclasses import dataclass, field, replace

from tenure.client import NotFound
from tenure.controllers.answering.answer import Answered, Knowledge, answer
from tenure.controllers.answering.need import need_digest
from tenure.controllers.answering.quotes import Asker, reference_to, short_digest
from tenure.controllers.answering.trial_wish import TrialWish
from tenure.controllers.events import record
from tenure.controllers.kernel import Wait
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.trialling.running import RunningTrial, TrialFailedError
from tenure.controllers.workload.occupied import calendar_of
from tenure.controllers.workload.offering import make_offers, say
from tenure.ledger import Decision, View, hold_offers, nothing
from tenure.ledger.convert import from_placed
from tenure.placement import Fleet
from tenure.quantities import Duration, Instant
from tenure.resources import ObjectMeta, Offer, Workload
from tenure.resources.base import OwnerReference
from tenure.resources.kinds.allocation import Promises
from tenure.resources.kinds.contract import OfferSpec
from tenure.resources.kinds.workload import WorkloadStatus

TRIAL_FOR_ANNOTATION = "tenure.dev/trial-for"
LOOK_MS = 500
AFTER_FAILURE_MS = 30_000


@dataclass(slots=True)
class Trials:
    """The trials in flight, one a need, and those that were made; a restart may make one again, which is harmless."""

    plane: Plane
    running: dict[str, RunningTrial] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)

    def wish(self, workload: Workload) -> Duration | None:
        """How long its user wants it to be measured, beyond what is needed; None for no wish, or one that was met."""
        wanted = (workload.metadata.annotations or {}).get(TRIAL_FOR_ANNOTATION)
        return Duration.parse(wanted) if wanted and _key(workload) not in self.made else None

    def was_made(self, workload: Workload) -> bool:
        """Whether this need, with this wish, has had its trial."""
        return _key(workload) in self.made

    async def run(self, workload: Workload, asker: Asker, known: Knowledge) -> Wait | None:
        """Start the trial."""
        assert known.trial is not None
        return await self._begin(workload, asker, known, known.trial)

    async def look(self, workload: Workload) -> Wait | None:
        """How far the trial of this need is; None when there is none, and its user can be answered."""
        key = _key(workload)
        trial = self.running.get(key)
        if trial is None:
            return None
        if not trial.done:
            await self._say_progress(workload, trial)
            return Wait(LOOK_MS)
        try:
            await trial.finish()  # where its hold could not be released, the next look does it
        except TrialFailedError as error:
            del self.running[key]
            await self._say_failed(workload, str(error))
            return Wait(AFTER_FAILURE_MS)
        del self.running[key]
        self.made.add(key)
        await self._say_measured(workload)
        return Wait(1)

    async def drop(self, workload: Workload) -> None:
        """Nobody waits for this trial any more."""
        for key in [key for key in self.running if key.startswith(workload.uid)]:
            await self.running.pop(key).abandon()

    async def close(self) -> None:
        """Stop all trials and what they run."""
        for key in list(self.running):
            await self.running.pop(key).abandon()

    async def _begin(self, workload: Workload, asker: Asker, known: Knowledge, wish: TrialWish) -> Wait | None:
        """Hold what the trial needs; where that cannot be had, the answer rests on what is known."""

        def decide(view: View, fleet: Fleet, now_ms: int) -> Decision:
            # Offers that are held for this need give way to the measurement that its user asked for.
            own = [r for r in view.group(asker.uid) if r.kind == "Offer"]
            without = view.without({r.uid for r in own})
            said = answer(known, fleet, calendar_of(without, now_ms), asker.uid, now_ms)
            if said.trial_plan is None:
                return nothing("Infeasible", "the trial cannot be held", answer=said)
            trial = _trial_offer(asker, said, wish, view.generation, now_ms)
            return hold_offers([trial], replaces=own, answer=said)

        commit = await self.plane.allocator.decide(decide)
        said: Answered = commit.answer
        if not commit.offers:
            if said.planned:
                return await make_offers(self.plane, workload, asker, replace(known, trial=None), ())
            await say(self.plane, workload, said.answer)
            return Wait(AFTER_FAILURE_MS)
        trial = RunningTrial(self.plane, commit.offers[0], known, wish)
        self.running[_key(workload)] = trial
        trial.begin()
        await record(self.plane.client, workload, "Trialling", wish.reason, self.plane.clock)
        await self._say_progress(workload, trial)
        return Wait(LOOK_MS)

    async def _say_progress(self, workload: Workload, trial: RunningTrial) -> None:
        def change(status: WorkloadStatus) -> WorkloadStatus:
            trialling = condition("Measured", None, "Trialling", "", self.plane.clock)
            found = condition("ReferencesFound", True, "ReferencesFound", "", self.plane.clock)
            return status.model_copy(
                update={
                    "phase": "Trialling",
                    "trial": trial.offer.name,
                    "trial_progress": trial.progress(),
                    "observed_generation": workload.metadata.generation,
                    "conditions": set_conditions(status.conditions, found, trialling),
                }
            )

        await update_status(self.plane.client, workload, change, WorkloadStatus())

    async def _say_measured(self, workload: Workload) -> None:
        def change(status: WorkloadStatus) -> WorkloadStatus:
            measured = condition("Measured", True, "Measured", "", self.plane.clock)
            return status.model_copy(update={"conditions": set_conditions(status.conditions, measured)})

        await update_status(self.plane.client, workload, change, WorkloadStatus())

    async def _say_failed(self, workload: Workload, message: str) -> None:
        def change(status: WorkloadStatus) -> WorkloadStatus:
            failed = condition("Measured", False, "TrialFailed", message, self.plane.clock)
            return status.model_copy(
                update={
                    "phase": "Pending",
                    "trial": None,
                    "trial_progress": None,
                    "conditions": set_conditions(status.conditions, failed),
                }
            )

        try:
            updated = await update_status(self.plane.client, workload, change, WorkloadStatus())
        except NotFound:
            return
        await record(self.plane.client, updated, "TrialFailed", message, self.plane.clock, warning=True)


def _key(workload: Workload) -> str:
    wanted = (workload.metadata.annotations or {}).get(TRIAL_FOR_ANNOTATION, "")
    return f"{workload.uid}/{need_digest(workload.spec)}/{wanted}"


def _trial_offer(asker: Asker, said: Answered, wish: TrialWish, generation: int, now_ms: int) -> Offer:
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
            machine=said.trial_plan.claims[0].machine,
            expires_at=Instant(now_ms + wish.duration_ms),
            hold=from_placed(said.trial_plan.hold(f"{asker.uid}-{short_digest(name)}")),
            planned_generation=0,
        ),
    )
