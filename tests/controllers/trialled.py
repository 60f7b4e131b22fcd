"""A need that takes a trial, on a small plane: what it measures is a run that goes on until it is stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.client import AsyncClient
from tenure.controllers.answering.answer import Knowledge
from tenure.controllers.answering.trial_wish import trial_wish
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.offer import OfferReconciler
from tenure.controllers.plane import Plane
from tenure.controllers.serving import Place, command_spec
from tenure.controllers.trialling.running import RunningTrial
from tenure.controllers.workload import WorkloadReconciler
from tenure.controllers.workload.trial import Trials
from tenure.engines import RunSpec
from tenure.ledger import Record
from tenure.resources import LEDGER_FINALIZER, Contract, Offer, Workload
from tenure.runtimes import Launch
from tests.controllers.builders import knowledge, measured, need
from tests.controllers.planes import command, plane_on

NEED = Key("default", "need")
DAY_MS = 86_400_000
GOOD = [50.0] * 9


def run_on_the_core(run_id: str, end_ms: int) -> RunSpec:
    """What a trial started."""
    place = Place(cpus=(0,), system_cpus=(0,), memory_nodes=(0,), memory_bytes=2**20)
    launch = Launch(argv=("true",), env={}, ports={})
    return command_spec(
        run_id=run_id, namespace="trial", name="m", launch=launch, place=place, restart="Never", end_ms=end_ms
    )


@dataclass
class Trialled:
    """The plane, its user, and its control plane's memory of trials, which `killed` loses."""

    plane: Plane
    user: AsyncClient
    trials: Trials = field(init=False)
    evidence: bool = False
    """Whether a trial was made, so that only a wish calls for another."""

    def __post_init__(self) -> None:
        self.trials = Trials(self.plane)

    def killed(self) -> None:
        """The control plane dies without a word and starts again; what it ran goes on."""
        for trial in self.trials.running.values():
            if trial._task is not None:
                trial._task.cancel()
        self.trials = Trials(self.plane)

    async def look(self, name: str = "need") -> Wait | None:
        """One step of the Workload."""
        return await WorkloadReconciler(self.plane, self.trials).reconcile(Key("default", name))

    async def look_at(self, offer: Offer) -> Wait | None:
        """One step of an Offer."""
        plane = self.plane
        reconciler = OfferReconciler(plane.client, plane.allocator, plane.clock, self.trials)
        return await reconciler.reconcile(Key("default", offer.name))

    async def begun(self, **spec: Any) -> Offer:
        """A need whose trial was begun just now, and the Offer that is its hold."""
        await self.user.create(command("need", **spec))
        await self.look()
        return self.trial().offer

    def trial(self) -> RunningTrial:
        """The only one in flight."""
        (trial,) = self.trials.running.values()
        return trial

    async def done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The trial in flight comes to its end and has measured enough; nobody has looked at it yet."""
        trial = self.trial()
        assert trial._task is not None
        trial._task.cancel()

        async def run() -> None:
            self.evidence = True

        monkeypatch.setattr(trial, "_run", run)
        trial.begin()
        await self.running()

    async def running(self) -> list[str]:
        """What runs, once the trials have come so far."""
        await asyncio.sleep(0)
        return [run.run_id for run in self.plane.engine.runs() if not run.final]

    async def holds(self) -> list[Record]:
        """The holds of trials that are live."""
        return [record for record in (await self.plane.allocator.look()).view.live() if record.trial]

    async def contracted(self) -> Contract:
        """A need that was measured before, offered and accepted: its contract, which nothing has started yet."""
        self.evidence = True
        await self.user.create(command("need"))
        await self.look()
        (offer,) = (await self.user.list(Offer)).items
        await self.edit({"spec": {"acceptedOffer": offer.name}})
        await self.look()
        (contract,) = (await self.user.list(Contract)).items
        return contract

    async def edit(self, change: dict[str, Any]) -> None:
        """Its user changes the Workload."""
        await self.user.patch(Workload, "need", change, namespace="default")

    async def gather(
        self, plane: Plane, spec: Any, asked: Any, namespace: str | None, *, trial: Any = None, trial_made: bool = False
    ) -> Knowledge:
        """What is known: nothing before the first trial, enough after it."""
        wanted = need()
        known = knowledge(wanted, [measured(GOOD)] if self.evidence else [], subject=SimpleNamespace(views=()))
        wish = trial_wish(wanted, [measured(GOOD).shape], [], trial.ms if trial is not None else None)
        due = not trial_made and (trial is not None or not self.evidence)
        return replace(known, trial=wish if due else None)


@asynccontextmanager
async def trialled(home: Path, monkeypatch: pytest.MonkeyPatch, cores: int = 2) -> AsyncIterator[Trialled]:
    """Trials that start a run under their hold and never end by themselves."""

    async def run(self: RunningTrial) -> None:
        hold = self.offer.spec.hold
        self._plane.engine.start(run_on_the_core(f"{hold.id}.0", int(hold.end)))
        await asyncio.Event().wait()

    monkeypatch.setattr(RunningTrial, "_run", run)
    async with plane_on(home, cores=cores) as (plane, user):
        made = Trialled(plane, user)
        monkeypatch.setattr("tenure.controllers.workload.reconcile.gather", made.gather)
        try:
            yield made
        finally:
            await made.trials.close()


async def taken_away(at: Trialled, offer: Offer) -> None:
    """It is deleted, and its finalizer with it."""
    await at.user.delete(Offer, offer.name, namespace="default")
    left = await at.user.get(Offer, offer.name, namespace="default")
    assert LEDGER_FINALIZER in (left.metadata.finalizers or [])
    bare = left.metadata.model_copy(update={"finalizers": None})
    await at.plane.client.replace(left.model_copy(update={"metadata": bare}))
