"""Rounds of request, accept, hold, end on the real machine: what offers and contracts said, and what then happened.

In each round the promise is the very bound that the evidence carries, not the wider one that a user would ask for, so
that nothing hides behind slack. Every other round has the worst permitted neighbour beside it, as the trial had.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.home import BenchmarkError, Home
from benchmarks.shares import Count
from tenure.cli.cpus import cpus_on
from tenure.cli.quickstart.load import Load
from tenure.measurement import Endpoint, TrialPlan, start_neighbours
from tenure.promises import Load as DeclaredLoad
from tenure.resources import Contract, Machine, ObjectMeta, Workload
from tenure.resources.kinds.answer import Answer, Quote
from tenure.resources.kinds.workload import WorkloadSpec
from tenure.sdk import Client, CommissioningFailed, SdkError

MODEL = "smollm2-135m-instruct"
LOAD = {"requestsPerSecond": "1.5", "promptTokens": 40, "outputTokens": 16}
WINDOW_MS = 1000
WIDE = {"timeToFirstToken": {"p95": "60s"}, "interTokenLatency": {"p95": "30s"}}
"""So wide that every shape is offered: what each carries is read from the offers, and asked for in the round."""
TRIAL_SECONDS_MAX, ROUND_SECONDS_MAX = 600.0, 120.0
NEIGHBOUR_SECONDS_MAX = 300.0
GENERATOR_SECONDS = 2.0
"""What the load generator takes to start and to learn how long its prompts are."""

_TOLD = ("promise", "startMs", "verdict", "reason", "detail", "requests", "observed", "bound")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Assurance:
    """In windows of a second, in this share of them, with this confidence."""

    share: float
    confidence: float

    def to_json(self) -> dict[str, str]:
        """As a Workload says it."""
        return {"window": f"{WINDOW_MS}ms", "share": f"{self.share:g}", "confidence": f"{self.confidence:g}"}


@dataclass(frozen=True, slots=True)
class Round:
    """One round. `outcome`: Active, or the reason for which it was not. `trial`: whose evidence it rests on.

    `judged`: each window of the contract as its audit tells it.
    """

    trial: int
    number: int
    shape: str
    beside: str
    assurance: Assurance
    outcome: str
    message: str = ""
    commissioned: tuple[Count, ...] = ()
    served: tuple[Count, ...] = ()
    unverifiable: dict[str, int] = field(default_factory=dict)
    judged: tuple[dict[str, object], ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A control plane whose machine was measured once. Each round answers from that one trial."""

    home: Home
    client: Client
    trial: int
    answers: dict[Assurance, Answer] = field(default_factory=dict)

    def carried(self, assurance: Assurance) -> Answer:
        """What the evidence carries at these figures, asked once: no round adds to what is known beside busy
        neighbours."""
        if assurance not in self.answers:
            wanted = need("what-is-carried", WIDE, assurance)
            self.answers[assurance] = self.client.ask(wanted, timeout_seconds=ROUND_SECONDS_MAX)
        return self.answers[assurance]


@contextmanager
def measured(home: Home, assurance: Assurance, trial: int, tell: Tell) -> Iterator[Ground]:
    """Trial once, at the most demanding figures that the rounds will ask for; every round then answers from it."""
    with Client(home=home.path) as client:
        workload = need("measure", WIDE, assurance)
        answered = client.request(workload, timeout_seconds=TRIAL_SECONDS_MAX, progress=tell)
        assert answered.status is not None
        said = answered.status.answer
        if said is None or not said.quotes:
            raise BenchmarkError(f"nothing was offered; next: tenure --home {home.path} why measure")
        remove(client, answered)
        yield Ground(home, client, trial)


def need(name: str, objectives: dict[str, dict[str, str]], assurance: Assurance) -> Workload:
    """The need of a round; no hardware word in it."""
    spec = {
        "inference": {"model": MODEL},
        "load": LOAD,
        "objectives": objectives,
        "assurance": assurance.to_json(),
        "term": {"duration": "10m"},
    }
    return Workload(metadata=ObjectMeta(name=name, namespace="default"), spec=WorkloadSpec.model_validate(spec))


def remove(client: Client, workload: Workload) -> None:
    """Delete it with its offers and contract, and wait until all of them are gone, processes and holds included."""
    client.delete(Workload, workload.name, namespace="default")
    client.wait_deleted(Workload, workload.name, namespace="default", timeout_seconds=ROUND_SECONDS_MAX)
    mine = f"tenure.dev/workload={workload.name}"
    for contract in client.list(Contract, namespace="default", label_selector=mine).items:
        client.wait_deleted(Contract, contract.name, namespace="default", timeout_seconds=ROUND_SECONDS_MAX)


def one_round(ground: Ground, number: int, assurance: Assurance, windows: int, tell: Tell) -> Round:
    """Request just what is carried, accept, hold for so many windows under the declared load, end."""
    begun = time.monotonic()
    client = ground.client
    said = ground.carried(assurance)
    shapes = sorted({shape_of(quote) for quote in said.quotes})
    if not shapes:
        nothing = "nothing is carried at these figures"
        return Round(ground.trial, number, "-", "-", assurance, said.kind, nothing)
    shape, busy = shapes[number % len(shapes)], (number // len(shapes)) % 2 == 0
    beside = "busy" if busy else "as it was"
    wanted = need(f"round-{number}", carried(said, shape), assurance)
    tell(f"{shape}, neighbours {beside}")
    try:
        found = _lived(ground, client.request(wanted, timeout_seconds=TRIAL_SECONDS_MAX), shape, busy, windows)
    except SdkError as error:
        found = _Lived(error.reason, str(error))
    finally:
        remove(client, wanted)
    return Round(
        trial=ground.trial,
        number=number,
        shape=shape,
        beside=beside,
        assurance=assurance,
        outcome=found.outcome,
        message=found.message,
        commissioned=found.commissioned,
        served=found.served,
        unverifiable=found.unverifiable,
        judged=found.judged,
        seconds=time.monotonic() - begun,
    )


@dataclass(frozen=True, slots=True)
class _Lived:
    outcome: str
    message: str = ""
    commissioned: tuple[Count, ...] = ()
    served: tuple[Count, ...] = ()
    unverifiable: dict[str, int] = field(default_factory=dict)
    judged: tuple[dict[str, object], ...] = ()


def _lived(ground: Ground, workload: Workload, shape: str, busy: bool, windows: int) -> _Lived:
    """From the answer to the contract's end."""
    assert workload.status is not None
    answer = workload.status.answer
    fitting = [q for q in answer.quotes if shape_of(q) == shape and q.meets_in_full] if answer else []
    if not fitting:
        return _Lived(answer.kind if answer else "NoAnswer", "what was carried a moment ago is not offered now")
    machine = ground.client.get(Machine, fitting[0].machine or "")
    system = cpus_on(ground.client, machine.name, machine.spec.reserved.cores)
    neighbours = start_neighbours(system, "memory", NEIGHBOUR_SECONDS_MAX) if busy and system else None
    try:
        contract = ground.client.accept(fitting[0], namespace="default", timeout_seconds=ROUND_SECONDS_MAX)
        if windows:
            _serve(ground, contract, windows, system)
        ground.client.end(contract)
        served = audited(ground.home, contract) if windows else ((), {}, ())
        return _Lived("Active", "", commissioned(contract), *served)
    except CommissioningFailed as error:
        return _Lived(error.reason, str(error), commissioned(error.contract))
    finally:
        if neighbours is not None:
            neighbours.terminate()
            neighbours.wait()


def _serve(ground: Ground, contract: Contract, windows: int, system: tuple[int, ...]) -> None:
    """Real requests at the declared load for so many windows. What they were is judged when the contract ends."""
    reached, load = ground.client.endpoint(contract), contract.spec.promises.load
    assert load is not None
    plan = TrialPlan(
        DeclaredLoad(int(load.requests_per_second), load.prompt_tokens, load.output_tokens),
        window_ms=WINDOW_MS,
        windows=windows + 1,
        warmup_ms=0,
        seed=time.monotonic_ns() % 2**31,
    )
    endpoint = Endpoint(reached.base_url, reached.model or MODEL, reached.api_key)
    with Load(ground.home.path, endpoint, plan, system):
        time.sleep(GENERATOR_SECONDS + windows * WINDOW_MS / 1000)


def audited(home: Home, contract: Contract) -> tuple[tuple[Count, ...], dict[str, int], tuple[dict[str, object], ...]]:
    """Kept and breached windows of each promise over the contract's whole life, why others were unverifiable, and every
    window as the audit tells it."""
    told = home.tenure("contract", "audit", contract.name, "-o", "json")
    story = json.loads(told.stdout)
    counts, reasons = [], Counter[str]()
    bounds = {f"{p.metric}.{p.percentile}": int(p.bound or 0) / 1e6 for p in contract.spec.promises.statistical}
    for promise in story["promises"]:
        windows = promise["windows"]
        kept = sum(window["verdict"] == "Kept" for window in windows)
        breached = sum(window["verdict"] == "Breached" for window in windows)
        reasons.update(window["reason"] for window in windows if window["verdict"] == "Unverifiable")
        counts.append(Count(promise["promise"], bounds[promise["promise"]], kept, kept + breached))
    told_of = tuple({name: window[name] for name in _TOLD} for one in story["promises"] for window in one["windows"])
    return tuple(counts), dict(reasons), told_of


def commissioned(contract: Contract) -> tuple[Count, ...]:
    """What its commissioning measured on its own cores, against the promise."""
    figures = contract.status.commissioning.figures if contract.status and contract.status.commissioning else []
    return tuple(
        Count(f"{f.metric}.{f.percentile}", int(f.promised or 0) / 1e6, f.windows_within, f.windows) for f in figures
    )


def shape_of(quote: Quote) -> str:
    """Threads and slots in words."""
    return "-" if quote.shape is None else f"{quote.shape.threads} thread x {quote.shape.slots} slot"


def carried(answer: Answer, shape: str) -> dict[str, dict[str, str]]:
    """Objectives at exactly what this shape's evidence carries."""
    quote = next(quote for quote in answer.quotes if shape_of(quote) == shape)
    return {
        promise.metric: {promise.percentile or "p95": str(promise.carried)}
        for promise in quote.promises.statistical
        if promise.carried
    }
