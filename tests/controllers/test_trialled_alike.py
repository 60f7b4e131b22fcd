"""What is measured before a contract is measured as the contract will run: else the bound promises what nobody kept."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.controllers.answering.gather import choosing_apart
from tenure.controllers.answering.measured import RunShape
from tenure.controllers.contract.commissioning import job_key, measuring
from tenure.controllers.contract.judge import Kind
from tenure.controllers.measuring import Job, Measurements, Windows
from tenure.controllers.probing import look_ms
from tenure.controllers.serving import PROBER, PROBER_FILE, Serving
from tenure.controllers.trialling.watching import Watching, pace_ms
from tenure.engines import RunNotFound, RunSpec
from tenure.measurement import Endpoint, TrialPlan
from tenure.measurement.store import SATURATION, Evidence, EvidenceKey
from tenure.promises import Load
from tenure.resources.kinds.allocation import Claim
from tenure.runtimes import Launch
from tests.controllers.builders import NOW_MS, sample
from tests.topology.builders import a_machine

ENDPOINT = Endpoint("http://127.0.0.1:1/v1", "m")
LOAD = Load(1_500_000, 40, 16)
PLAN = TrialPlan(LOAD, window_ms=1000, windows=4)


@dataclass(slots=True)
class Noted(Measurements):
    """Measurements that note what they would measure."""

    plans: list[TrialPlan] = field(default_factory=list)

    async def _measure(self, job: Job, endpoint: Endpoint, plan: TrialPlan) -> Windows:
        self.plans.append(plan)
        return ()


def evidence(figures: Sequence[float], origin: str) -> Evidence:
    """One window a figure, each with one request that had its first token so many milliseconds late."""
    key = EvidenceKey("sha256:0", "llamacpp", "1", (("threads", 1), ("slots", 1)), "hw", "busy")
    return Evidence(key, LOAD, 1000, tuple((sample(figure),) for figure in figures), NOW_MS, origin)


def first_tokens(windows: Windows) -> list[float]:
    return [one.first_token_after_ns / 1e6 for window in windows for one in window if one.first_token_after_ns]


@pytest.mark.anyio
async def test_a_commissioning_does_not_repeat_the_arrivals_of_its_trial() -> None:
    noted = Noted(cpus=())
    for key in ("trial/t", "commission/c/load", "commission/d/load"):
        noted.start(key, ENDPOINT, PLAN, NOW_MS)
    await asyncio.sleep(0)
    await noted.close()
    assert len({plan.seed for plan in noted.plans}) == 3
    assert {(plan.load, plan.windows) for plan in noted.plans} == {(LOAD, 4)}


def test_the_windows_behind_a_start_bound_a_contract_that_starts_as_well() -> None:
    """A fresh server is slow at first. Left out of the bound, that would break the promise in each first window."""
    choosing, bounding = choosing_apart(evidence([300, 200, 50, 50, 50, 50, 50, 40], "trial"))
    assert first_tokens(choosing) == [40]
    assert first_tokens(bounding) == [300, 200, 50, 50, 50, 50, 50]


def test_under_saturation_nothing_was_carried_over_to_the_first_window_and_it_bounds_nothing() -> None:
    choosing, bounding = choosing_apart(evidence([300, 50, 50, 50], SATURATION))
    assert (first_tokens(choosing), first_tokens(bounding)) == ([300], [50, 50, 50])


@pytest.mark.anyio
async def test_what_is_being_measured_is_known_by_its_job() -> None:
    plane: Any = SimpleNamespace(measurements=Measurements(cpus=()))
    assert not measuring(plane, "c")
    over = asyncio.Event()
    job = Job(asyncio.ensure_future(over.wait()))  # type: ignore[arg-type]
    plane.measurements.jobs[job_key(Kind.UNDER_LOAD, "c")] = job
    assert measuring(plane, "c")
    assert not measuring(plane, "another")
    over.set()
    await job.task
    assert not measuring(plane, "c"), "what was measured is judged in the next step"


@pytest.mark.anyio
async def test_a_trial_runs_beside_the_prober_that_a_contract_has() -> None:
    """It reads the server's counters as in service; the requests that it would add are part of the measured load."""
    started: list[RunSpec] = []

    def start(spec: RunSpec) -> Any:
        started.append(spec)
        return SimpleNamespace(ports={"tap": 1})

    topology = a_machine()

    async def topology_of(_: str) -> Any:
        return topology

    engine = SimpleNamespace(start=start, stop=lambda _: None, forget=lambda _: None)
    plane: Any = SimpleNamespace(engine=engine, machine="m", system_cpus=(0,), topology=topology_of)
    launch = Launch(("server",), ports={"http": 0}, health_port="http", endpoint_port="http")
    subject: Any = SimpleNamespace(model=SimpleNamespace(name="m"), load=LOAD, launch=lambda *_: launch)
    claim = Claim(machine="m", cores=[1], memory=1 << 30)
    shape = RunShape(1, 2)
    async with Serving(plane, run_id="r", claim=claim, subject=subject, shape=shape, end_ms=NOW_MS):
        pass
    assert PROBER in started[0].sidecars
    assert json.loads(started[0].files[PROBER_FILE].content)["perSecond"] == 0


@pytest.mark.parametrize(
    ("windows_ms", "paced_ms"),
    [([60_000], 2_000), ([4_000, 60_000], 1_000), ([1_000, 60_000], 250), ([100], 250), ([], 2_000)],
)
def test_a_run_is_looked_at_four_times_a_window(windows_ms: list[int], paced_ms: int) -> None:
    assert look_ms(windows_ms) == paced_ms


@pytest.mark.anyio
async def test_a_trial_is_looked_at_while_it_is_measured_and_survives_what_the_engine_says() -> None:
    looked: list[str] = []
    first = asyncio.Event()
    loop = asyncio.get_running_loop()

    def state(run_id: str) -> Any:
        looked.append(run_id)
        loop.call_soon_threadsafe(first.set)
        raise RunNotFound(run_id)

    plane: Any = SimpleNamespace(engine=SimpleNamespace(state=state))
    async with Watching(plane, "hold.0", 500):
        await asyncio.wait_for(first.wait(), 30)
    assert set(looked) == {"hold.0"}


@pytest.mark.parametrize(("windows_ms", "paced_ms"), [([60_000], 500), ([4_000], 250), ([1_000], 62), ([], 500)])
def test_a_look_before_service_costs_less_and_is_taken_more_often(windows_ms: list[int], paced_ms: int) -> None:
    """What judging, signing and writing down take in service is taken from the tap before as well."""
    assert pace_ms(windows_ms) == paced_ms
