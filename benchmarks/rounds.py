"""Rounds of request, accept, hold, end on the real machine: what offers and contracts said, and what then happened.

In each round the promise is the very bound that the evidence carries, not the wider one that a user would ask for, so
that nothing hides behind slack. Every other round has the worst permitted neighbour beside it, as the trial had.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.home import BenchmarkError, Home
from tenure.cli.quickstart.load import Load
from tenure.measurement import Endpoint, TrialPlan, start_neighbours
from tenure.promises import Load as DeclaredLoad
from tenure.promises import binomial_interval
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
SETTLE_SECONDS = 3.0

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
class Count:
    """Windows of one promise that lay within its bound, of those in which there was something to judge."""

    promise: str
    bound_ms: float
    within: int
    windows: int


@dataclass(frozen=True, slots=True)
class Round:
    """One round. `outcome`: Active, or the reason for which it was not."""

    number: int
    shape: str
    beside: str
    assurance: Assurance
    outcome: str
    message: str = ""
    commissioned: tuple[Count, ...] = ()
    served: tuple[Count, ...] = ()
    unverifiable: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A control plane whose machine was measured once, and what it then offered at these figures."""

    home: Home
    client: Client
    assurance: Assurance
    quotes: tuple[Quote, ...]


@contextmanager
def measured(home: Home, assurance: Assurance, tell: Tell) -> Iterator[Ground]:
    """Trial once, at the most demanding figures that the rounds will ask for; every round then answers from it."""
    with Client(home=home.path) as client:
        workload = need("measure", WIDE, assurance)
        answered = client.request(workload, timeout_seconds=TRIAL_SECONDS_MAX, progress=tell)
        assert answered.status is not None
        said = answered.status.answer
        if said is None or not said.quotes:
            raise BenchmarkError(f"nothing was offered; next: tenure --home {home.path} why measure")
        remove(client, answered)
        yield Ground(home, client, assurance, tuple(said.quotes))


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
    """Ask what is carried, request just that, accept, hold for so many windows under the declared load, end."""
    begun = time.monotonic()
    client = ground.client
    said = client.ask(need("what-is-carried", WIDE, assurance), timeout_seconds=ROUND_SECONDS_MAX)
    shapes = sorted({shape_of(quote) for quote in said.quotes})
    if not shapes:
        return Round(number, "-", "-", assurance, said.kind, "nothing is carried at these figures")
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
    seconds = time.monotonic() - begun
    return Round(
        number,
        shape,
        beside,
        assurance,
        found.outcome,
        found.message,
        found.commissioned,
        found.served,
        found.unverifiable,
        seconds,
    )


@dataclass(frozen=True, slots=True)
class _Lived:
    outcome: str
    message: str = ""
    commissioned: tuple[Count, ...] = ()
    served: tuple[Count, ...] = ()
    unverifiable: dict[str, int] = field(default_factory=dict)


def _lived(ground: Ground, workload: Workload, shape: str, busy: bool, windows: int) -> _Lived:
    """From the answer to the contract's end."""
    assert workload.status is not None
    answer = workload.status.answer
    fitting = [q for q in answer.quotes if shape_of(q) == shape and q.meets_in_full] if answer else []
    if not fitting:
        return _Lived(answer.kind if answer else "NoAnswer", "what was carried a moment ago is not offered now")
    machine = ground.client.get(Machine, fitting[0].machine or "")
    system = tuple(machine.spec.reserved.cores)
    neighbours = start_neighbours(system, "memory", NEIGHBOUR_SECONDS_MAX) if busy and system else None
    try:
        contract = ground.client.accept(fitting[0], namespace="default", timeout_seconds=ROUND_SECONDS_MAX)
        served = _serve(ground, contract, windows, system) if windows else ((), {})
        ground.client.end(contract)
        return _Lived("Active", "", commissioned(contract), *served)
    except CommissioningFailed as error:
        return _Lived(error.reason, str(error), commissioned(error.contract))
    finally:
        if neighbours is not None:
            neighbours.terminate()
            neighbours.wait()


def _serve(
    ground: Ground, contract: Contract, windows: int, system: tuple[int, ...]
) -> tuple[tuple[Count, ...], dict[str, int]]:
    """Real requests at the declared load; then what was judged, as the contract's own audit tells it."""
    reached, load = ground.client.endpoint(contract), contract.spec.promises.load
    assert load is not None
    plan = TrialPlan(
        DeclaredLoad(int(load.requests_per_second), load.prompt_tokens, load.output_tokens),
        window_ms=WINDOW_MS,
        windows=windows + 2,
        warmup_ms=0,
        seed=time.monotonic_ns() % 2**31,
    )
    endpoint = Endpoint(reached.base_url, reached.model or MODEL, reached.api_key)
    with Load(ground.home.path, endpoint, plan, system):
        time.sleep((windows + 2) * WINDOW_MS / 1000 + SETTLE_SECONDS)
    return audited(ground.home, contract, windows)


def audited(home: Home, contract: Contract, windows_max: int) -> tuple[tuple[Count, ...], dict[str, int]]:
    """Kept and breached windows of each promise, and why the others were unverifiable."""
    told = home.tenure("contract", "audit", contract.name, "-o", "json")
    story = json.loads(told.stdout)
    counts, reasons = [], Counter[str]()
    bounds = {f"{p.metric}.{p.percentile}": int(p.bound or 0) / 1e6 for p in contract.spec.promises.statistical}
    for promise in story["promises"]:
        windows = promise["windows"][: windows_max + 2]
        kept = sum(window["verdict"] == "Kept" for window in windows)
        breached = sum(window["verdict"] == "Breached" for window in windows)
        reasons.update(window["reason"] for window in windows if window["verdict"] == "Unverifiable")
        counts.append(Count(promise["promise"], bounds[promise["promise"]], kept, kept + breached))
    return tuple(counts), dict(reasons)


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


@dataclass(frozen=True, slots=True)
class Share:
    """A share of windows beside what was stated: its interval says what these counts can tell."""

    within: int
    windows: int
    stated: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """What follows from the interval."""
        if self.windows == 0:
            return "nothing was seen"
        if self.high < self.stated:
            return "[red]below what was stated[/]"
        return "[green]above what was stated[/]" if self.low >= self.stated else "[green]as stated[/]"

    @property
    def text(self) -> str:
        """Share and interval."""
        if self.windows == 0:
            return "–"
        return f"{self.within / self.windows:.0%}  [{self.low:.0%}, {self.high:.0%}]"


def share_of(counts: Sequence[Count], stated: float, confidence: float = 0.9) -> Share:
    """Pooled windows with their Clopper-Pearson interval."""
    within, windows = sum(count.within for count in counts), sum(count.windows for count in counts)
    return Share(within, windows, stated, *binomial_interval(within, windows, confidence))
