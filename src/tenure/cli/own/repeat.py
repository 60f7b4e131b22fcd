"""`tenure contract repeat`: the same request again and again; how far its performance spreads beside the promise."""

import asyncio
import math
import os
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from rich import box
from rich.table import Table
from rich.text import Text

from tenure.cli import exit_codes, failures, screen
from tenure.cli.answer import QUIET
from tenure.cli.contract_view import VERDICTS
from tenure.cli.cpus import held_cpus
from tenure.cli.door import open_door
from tenure.cli.options import HERE, ContractName, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.cli.typed import typed
from tenure.cli.verbs.logs import contract_named
from tenure.cli.waiting import waiting
from tenure.cli.words import metric_text, nanoseconds_text
from tenure.controllers.contract.judge import objective_of
from tenure.measurement import Endpoint, NoTokenCountError, ask, calibrate
from tenure.promises import LatencyObjective, Outcome, RequestSample, Verdict, percentile_reading, readings, worst
from tenure.quantities import Duration
from tenure.resources import Contract
from tenure.resources.kinds.allocation import Promises, StatisticalPromise
from tenure.resources.kinds.objectives import Load

TIMEOUT_SECONDS = 60.0
FEWEST = 2
EXITS = {
    Verdict.KEPT: exit_codes.YES,
    Verdict.BREACHED: exit_codes.NO,
    Verdict.UNVERIFIABLE: exit_codes.UNVERIFIABLE,
}


@dataclass(frozen=True, slots=True)
class Spread:
    """One promise beside what repeating showed of it, in ns; None where repeating shows nothing of it."""

    promise: StatisticalPromise
    least: float | None = None
    seen: float | None = None
    most: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether its percentile lies within the bound; what was not measured is unverified."""
        if self.seen is None or self.promise.bound is None:
            return Verdict.UNVERIFIABLE
        return Verdict.KEPT if self.seen <= int(self.promise.bound) else Verdict.BREACHED


def repeat(
    name: ContractName,
    *,
    times: Annotated[int, Parameter(help="How often the request is sent.")] = 20,
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """Send a request of the declared lengths again and again, as fast as the declared load allows, one at a time.

    Prints how far each promised figure spreads. The words differ each time, or a server that keeps prompts would look
    better than it is. Exits 0 when each percentile lies within its bound, 1 when one does not, and 7 where the contract
    promises nothing that repeating can measure: what is not measured is unverified.

    Parameters
    ----------
    name
        A contract, or the workload that has one.
    """
    as_json = check_output(output)
    if times < FEWEST:
        raise failures.usage(f"--times {times} shows no spread", f"send it {FEWEST} times at the least")
    with open_door(reach) as door:
        contract = Contract.model_validate(contract_named(door, name))
        promised = contract.spec.promises
        samples: list[RequestSample] = []
        if promised.load is not None:
            told = door.client.endpoint(contract)
            _stand_aside(held_cpus(door.client, contract))
            at = Endpoint(told.base_url, told.model or "", told.api_key)
            with waiting(f"{times} requests to {contract.name}", quiet=as_json):
                samples = asyncio.run(_send(at, promised.load, times))
    spreads = spreads_of(promised, samples)
    verdict = worst([spread.verdict for spread in spreads])
    if as_json:
        screen.say_as("Repeated", _json(contract.name, samples, spreads, verdict))
    else:
        _say(contract, samples, spreads)
    return EXITS[verdict]


def _stand_aside(held: Sequence[int]) -> None:
    """Ask from the CPUs that the contract does not hold, or the asking would be counted as waiting."""
    if not hasattr(os, "sched_setaffinity"):
        return
    others = os.sched_getaffinity(0) - set(held)
    if others:
        with suppress(OSError):
            os.sched_setaffinity(0, others)


async def _send(at: Endpoint, load: Load, number: int) -> list[RequestSample]:
    """One after the other, each due as the declared rate allows; late answers delay the next, not its timing."""
    try:
        maker = await calibrate(at, random.Random(), TIMEOUT_SECONDS)
    except (NoTokenCountError, ConnectionError) as error:
        raise failures.unverifiable(str(error), "NoEvidence", "`tenure status` says what holds") from None
    samples, source = [], random.Random()
    pause = 1 / load.requests_per_second.per_second
    for _ in range(number):
        begun = time.monotonic()
        prompt = maker.prompt(load.prompt_tokens, load.output_tokens, source)
        due = {"due_wall_ns": time.time_ns(), "due_monotonic_ns": time.monotonic_ns()}
        samples.append(await ask(at, prompt, timeout_s=TIMEOUT_SECONDS, **due))
        await asyncio.sleep(max(0.0, pause - (time.monotonic() - begun)))
    return samples


def spreads_of(promised: Promises, samples: Sequence[RequestSample]) -> list[Spread]:
    """Each statistical promise beside these samples."""
    owed = (promised.load.output_tokens if promised.load else 2) - 1
    found = []
    for promise in promised.statistical:
        objective = objective_of(promise)
        values = readings(samples, objective.metric, owed) if isinstance(objective, LatencyObjective) else []
        if not isinstance(objective, LatencyObjective) or not values:
            found.append(Spread(promise))
            continue
        worst_of = [value.high for value in values]
        seen = percentile_reading(values, objective.percentile).high
        found.append(Spread(promise, min(worst_of), seen, max(worst_of)))
    return found


def _figure(value: float | None) -> str:
    if value is None:
        return "unverified"
    return "failed" if not math.isfinite(value) else nanoseconds_text(Duration(round(value))) or "unverified"


def _say(contract: Contract, samples: Sequence[RequestSample], spreads: Sequence[Spread]) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style=QUIET, show_edge=False)
    for heading in ("promise", "bound", "least", "at its percentile", "most", "spread", ""):
        table.add_column(heading)
    for spread in spreads:
        one, known = spread.promise, spread.most is not None and spread.least is not None
        apart = spread.most - spread.least if spread.most is not None and spread.least is not None else None
        word = str(spread.verdict) if known else "unverified"
        table.add_row(
            f"{metric_text(one.metric)} {one.percentile or ''}".strip(),
            str(one.bound or one.floor or one.answered or ""),
            *map(_figure, (spread.least, spread.seen, spread.most, apart)),
            Text(word, style=VERDICTS[str(spread.verdict)]),
        )
    console = screen.console(markup=False)
    failed = sum(sample.outcome is not Outcome.COMPLETED for sample in samples)
    console.print(f"{contract.name}: {len(samples)} requests of the declared lengths, {failed} of them not answered")
    console.print(table)
    for promise in contract.spec.promises.hard:
        said = f"{promise.what}: unverified by repeating; tenure describe contract says what was read back"
        console.print(typed(said), style=QUIET)


def _json(name: str, samples: Sequence[RequestSample], spreads: Sequence[Spread], verdict: Verdict) -> dict[str, Any]:
    def finite(value: float | None) -> int | None:
        return None if value is None or math.isinf(value) else round(value)

    return {
        "contract": name,
        "requests": len(samples),
        "failed": sum(sample.outcome is not Outcome.COMPLETED for sample in samples),
        "verdict": str(verdict),
        "spreads": [
            {
                "metric": spread.promise.metric,
                "percentile": spread.promise.percentile,
                "boundNs": finite(spread.promise.bound),
                "leastNs": finite(spread.least),
                "seenNs": finite(spread.seen),
                "mostNs": finite(spread.most),
                "verdict": str(spread.verdict),
            }
            for spread in spreads
        ],
    }
