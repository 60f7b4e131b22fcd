"""The prober: asks the endpoint as a user would, from outside, at random instants, within a budget.

    python -m tenure.measurement.prober CONFIG.json

A process of its own with a journal of its own, so that it goes on while the control plane is dead. Its instants are
Poisson, so that they see what a random user sees (Wolff 1982) and cannot be anticipated. It asks only when a slot is
free, where the workload says how many are: a probe must not make a user wait; each one held back is journalled too.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.measurement.endpoint import Endpoint, ask
from tenure.measurement.journal import JournalWriter, clocks
from tenure.measurement.journal_witness import head_of
from tenure.measurement.prompts import PromptMaker
from tenure.measurement.scrape import MetricsMap, Scrape, ScrapeError, scrape

_MARK_S = 1.0
_METRICS_S = 0.5
"""A window waits for the first reading behind its end."""
_METRICS_TIMEOUT_S = 5.0
"""A server answers for its counters between two batches, and late where its cores are taken from it."""


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """The workload's own metrics, read each second into the same journal, so that this view too goes on by itself."""

    url: str
    names: MetricsMap
    slots: int | None = None
    """How many requests are served at once; with the gauge `running`, a probe is held back when all are taken."""
    key: str | None = None

    @classmethod
    def of(cls, document: dict[str, Any]) -> MetricsPage:
        """From the part `metrics` of the configuration. Raises OSError, KeyError or ValueError."""
        names = MetricsMap(
            output_tokens=document["outputTokens"],
            output_seconds=document.get("outputSeconds"),
            running=document.get("running"),
            waiting=document.get("waiting"),
        )
        key = Path(document["keyFile"]).read_text().strip() if "keyFile" in document else None
        return cls(document["url"], names, document.get("slots"), key)


@dataclass(frozen=True, slots=True)
class ProberConfig:
    """Where to ask, how often, with what lengths, and where to write it down."""

    endpoint: Endpoint
    per_second: float
    """The budget: mean probes per second."""
    prompt_tokens: int
    output_tokens: int
    journal_folder: Path
    timeout_s: float = 60.0
    metrics: MetricsPage | None = None
    witness_folder: Path | None = None
    """The tap's journal. Its head is noted in this one with every mark, so that who rewrites that must rewrite both."""
    overhead_tokens: float = 31.0
    tokens_per_word: float = 1.0

    @classmethod
    def read(cls, path: Path) -> ProberConfig:
        """Read a configuration file. Raises OSError, KeyError or ValueError."""
        document: dict[str, Any] = json.loads(path.read_text())
        key = Path(document["keyFile"]).read_text().strip()
        return cls(
            endpoint=Endpoint(document["baseUrl"], document["model"], key),
            per_second=float(document["perSecond"]),
            prompt_tokens=int(document["promptTokens"]),
            output_tokens=int(document["outputTokens"]),
            journal_folder=Path(document["journal"]),
            timeout_s=float(document.get("timeoutS", 60)),
            metrics=MetricsPage.of(document["metrics"]) if "metrics" in document else None,
            witness_folder=Path(document["witness"]) if "witness" in document else None,
            overhead_tokens=float(document.get("overheadTokens", 31)),
            tokens_per_word=float(document.get("tokensPerWord", 1)),
        )


class Prober:
    """One prober. It knows nothing of the seed of its instants: they come from the system's own randomness."""

    def __init__(self, config: ProberConfig, journal: JournalWriter) -> None:
        self._config, self._journal = config, journal
        self._source = random.SystemRandom()
        self._maker = PromptMaker(config.overhead_tokens, config.tokens_per_word)
        self._number = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Probe until told to stop."""
        beside = [asyncio.get_running_loop().create_task(self._pulse())]
        if self._config.metrics is not None:
            beside.append(asyncio.get_running_loop().create_task(self._read_metrics(self._config.metrics)))
        tasks: set[asyncio.Task[None]] = set()
        try:
            # A budget of zero probes nothing and still reads the metrics.
            while not await _stopped(stop, self._pause_s()):
                task = asyncio.get_running_loop().create_task(self._probe())
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        finally:
            for task in (*beside, *tasks):
                task.cancel()
            await asyncio.gather(*beside, *tasks, return_exceptions=True)

    def _pause_s(self) -> float:
        return self._source.expovariate(self._config.per_second) if self._config.per_second > 0 else 1e9

    async def _pulse(self) -> None:
        while True:
            self._journal.append("mark", clocks() | self._witnessed())
            await asyncio.to_thread(self._journal.sync)
            await asyncio.sleep(_MARK_S)

    def _witnessed(self) -> dict[str, Any]:
        folder = self._config.witness_folder
        head = head_of(folder, time.time_ns()) if folder is not None else None
        return {} if head is None else {"witnessed": [head.sequence, head.chain]}

    async def _read_metrics(self, page: MetricsPage) -> None:
        """A task of its own: a server that is slow to answer for its counters must not make the prober seem dead."""
        while True:
            try:
                self._journal.append("scrape", (await self._scrape(page)).as_record())
            except ScrapeError as error:
                self._journal.append("unread", {"why": str(error)[:200]})
            await asyncio.sleep(_METRICS_S)

    async def _scrape(self, page: MetricsPage) -> Scrape:
        return await scrape(page.url, page.names, _METRICS_TIMEOUT_S, page.key)

    async def _probe(self) -> None:
        due_wall_ns, due_monotonic_ns = time.time_ns(), time.monotonic_ns()
        if await self._busy():
            self._journal.append("skip", {"arrivalNs": due_wall_ns})
            return
        config = self._config
        self._number += 1
        name = f"probe-{os.getpid()}-{self._number}-{self._source.getrandbits(32):08x}"
        prompt = self._maker.prompt(config.prompt_tokens, config.output_tokens, random.Random(), name)
        due_wall_ns, due_monotonic_ns = time.time_ns(), time.monotonic_ns()
        # Noted before it is sent: a window with a probe under way is not kept before that one has spoken.
        self._journal.append("sent", {"arrivalNs": due_wall_ns, "requestId": name})
        sample = await ask(
            config.endpoint,
            prompt,
            timeout_s=config.timeout_s,
            due_wall_ns=due_wall_ns,
            due_monotonic_ns=due_monotonic_ns,
        )
        self._journal.append("probe", {"sample": sample.as_record()})

    async def _busy(self) -> bool:
        """Whether all slots are taken, as far as the workload says. Where it says nothing, the budget alone limits."""
        page = self._config.metrics
        if page is None or page.names.running is None or page.slots is None:
            return False
        try:
            found = await self._scrape(page)
        except ScrapeError:
            return False
        return found.running is not None and found.running >= page.slots


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Sleep, or return True as soon as it is time to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _main(config: ProberConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    journal = JournalWriter(config.journal_folder, segment_bytes=1 << 20, retain_bytes=64 << 20)
    try:
        await Prober(config, journal).run(stop)
    finally:
        journal.close()


def main(arguments: list[str]) -> int:
    """Command line; exit codes 0, 2 for a wrong configuration."""
    if len(arguments) != 1:
        print("usage: python -m tenure.measurement.prober CONFIG.json", file=sys.stderr)
        return 2
    try:
        config = ProberConfig.read(Path(arguments[0]))
    except (OSError, KeyError, ValueError) as error:
        print(f"prober: {arguments[0]}: {error!r}", file=sys.stderr)
        return 2
    asyncio.run(_main(config))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
