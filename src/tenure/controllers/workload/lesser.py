"""Terms that service keeps: what the contract's own windows measured since its trouble began bounds the next offer."""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tenure.controllers.answering.capability import capabilities
from tenure.controllers.answering.gather import Missing, gather, measured_of
from tenure.controllers.answering.measured import Measured, RunShape
from tenure.controllers.answering.need import need_of
from tenure.controllers.answering.service import measured_in_service
from tenure.controllers.contract.judging import run_folder
from tenure.controllers.contract.terms import promises_of
from tenure.controllers.plane import Plane
from tenure.controllers.workload.changes import Terms
from tenure.measurement.journal_reader import read_journal
from tenure.promises import Load, RequestSample, Verdict, Window, WindowVerdict
from tenure.resources import Contract

QUIET_WINDOWS = 8
"""So many windows without a breach end an episode: the long burn rate looks no further back."""
EPISODE_WINDOWS_MAX = 40
"""As far back as an episode is looked at."""
NS_PER_MS = 1_000_000


async def find(plane: Plane, contract: Contract) -> Terms | str:
    """The terms that what was measured in service carries, or why there are none."""
    need = need_of(contract.spec.body, plane.clock.now_ms())
    known = await gather(plane, contract.spec.body, need, contract.namespace, trial_made=True)
    if isinstance(known, Missing):
        return known.message
    if known.subject is None or need.load is None:
        return "nothing was measured of it"
    service = await asyncio.to_thread(_measured, plane, contract)
    if service is None:
        return "no window since it began to break has a request to measure"
    # Of the shape that broke its promise only what it did in service counts from now on.
    others = [m for m in measured_of(plane, known.subject, known.neighbours) if m.shape != service.shape]
    found = capabilities([service, *others], need.objectives, need.load, need.assurance)
    return Terms(contract, replace(known, capabilities=tuple(found)), int(contract.spec.term.end))


def episode(verdicts: list[WindowVerdict]) -> list[Window]:
    """The windows since the newest trouble began, those alone that were measured: kept ones between them belong to it,
    better ones from before would promise what is not so any more. Pure."""
    settled = sorted((v for v in verdicts if v.settled), key=lambda v: v.window.start_ms)
    first = len(settled)
    for place in range(len(settled) - 1, -1, -1):
        if first - place > QUIET_WINDOWS:
            break
        if settled[place].verdict is Verdict.BREACHED:
            first = place
    return [v.window for v in settled[first:] if v.verdict is not Verdict.UNVERIFIABLE]


def by_window(samples: Iterable[RequestSample], windows: Sequence[Window]) -> list[list[RequestSample]]:
    """The requests that arrived in each of these windows, which come one after another. In one pass: an episode has
    hundreds of thousands of them, and is looked at every few seconds. Pure."""
    starts = [window.start_ms * NS_PER_MS for window in windows]
    ends = [window.end_ms * NS_PER_MS for window in windows]
    found: list[list[RequestSample]] = [[] for _ in windows]
    for sample in samples:
        arrival_ns = sample.arrival_ns
        place = bisect_right(starts, arrival_ns) - 1
        if place >= 0 and arrival_ns < ends[place] and sample.counts:
            found[place].append(sample)
    return found


def _measured(plane: Plane, contract: Contract) -> Measured | None:
    """Read the journals of the episode. Users' requests count; the prober's only where no user asked: never pooled."""
    terms, shape = contract.spec.promises, contract.spec.shape
    promises = promises_of(terms)
    if not promises or terms.load is None or shape is None:
        return None
    found = [episode(plane.known.newest(contract.uid, p.name, EPISODE_WINDOWS_MAX, settled=True)) for p in promises]
    windows = max(found, key=len)
    if not windows:
        return None
    since_ns = windows[0].start_ms * NS_PER_MS
    folder = run_folder(plane, contract)
    samples: list[RequestSample] = []
    for journal, role in (("journal", "user"), ("prober", "probe")):
        if not samples and (folder / journal).is_dir():
            samples = read_journal(folder / journal, since_ns=since_ns).samples.get(role, [])
    load = Load(int(terms.load.requests_per_second), terms.load.prompt_tokens, terms.load.output_tokens)
    evidence = terms.statistical[0].evidence
    return measured_in_service(
        by_window(samples, windows),
        shape=RunShape(shape.threads, shape.slots),
        declared=load,
        window_ms=promises[0].assurance.window_ms,
        hardware_class=evidence.hardware_class,
        runtime=evidence.runtime,
        at_ms=plane.clock.now_ms(),
    )
