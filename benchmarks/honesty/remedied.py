"""The remedied part: the real model under a contract of a whole control plane, disturbed and mended by its own ladder.

Nothing here repairs anything. Each fault stays until the contract is kept again or a limit is over; what was detected,
which rung was taken and when the promise was kept again are read from the contract's audit, as its user reads them.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.home import BenchmarkError, Home, home, need_model
from tenure.cli.cpus import held_cpus
from tenure.cli.quickstart.load import Interference, Load
from tenure.client import Client, from_home
from tenure.measurement import Endpoint, TrialPlan
from tenure.promises import Load as DeclaredLoad
from tenure.quantities import parse_instant
from tenure.resources import Contract, Secret

MODEL = "smollm2-135m-instruct"
WINDOW_MS = 1000
NEED = f"""
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {{name: chat, namespace: default}}
spec:
  inference: {{model: {MODEL}}}
  load: {{requestsPerSecond: 1.5, promptTokens: 40, outputTokens: 16}}
  objectives: {{timeToFirstToken: {{p95: 2s}}, interTokenLatency: {{p95: 150ms}}}}
  assurance: {{window: 1s, share: 0.75, confidence: 0.75}}
  term: {{duration: 60m}}
"""
COUNTER_OFFERED = 6
FAULT_SECONDS_MAX, REST_SECONDS, KEPT_SECONDS_MAX = 40, 8, 60
INTERFERERS = 8


@dataclass
class Mended:
    """One kind of fault: what the audit says of its episodes."""

    kind: str
    faults: int = 0
    episodes: int = 0
    detected_after_windows: list[float] = field(default_factory=list)
    """From the end of the first breached window until the breach was stated."""
    remedied_after_s: list[float] = field(default_factory=list)
    """From the first step of the ladder to the end of the first window that was kept again."""
    rungs: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """A control plane and its contract."""

    home: Home

    def must(self, *words: str) -> Any:
        """One command's answer as JSON. Raises BenchmarkError."""
        said = self.home.tenure(*words, "-o", "json")
        if not said.stdout.strip():
            raise BenchmarkError(f"tenure {' '.join(words)}: {said.stderr.strip()}")
        return json.loads(said.stdout)

    def contract(self) -> Contract:
        """As it is now. Raises BenchmarkError once it is no longer active."""
        found = [Contract.model_validate(item) for item in self.must("get", "contracts")["items"]]
        for contract in found:
            if contract.status is not None and contract.status.phase == "Active":
                return contract
        raise BenchmarkError("the contract is not active")

    def server(self) -> int | None:
        """The model's process; None between a death and the next start."""
        status = self.contract().status
        return status.run.pid if status is not None and status.run is not None else None

    def ready(self) -> bool:
        """Whether its newest window was kept."""
        status = self.contract().status
        return status is not None and any(c.type == "Ready" and c.status == "True" for c in status.conditions)

    def held(self) -> tuple[int, ...]:
        """The logical CPUs of the contract's cores."""
        with Client(from_home(self.home.path)) as client:
            return held_cpus(client, self.contract())

    def load(self) -> Load:
        """The declared load, from the cores that the contract does not hold."""
        contract = self.contract()
        declared, status = contract.spec.promises.load, contract.status
        assert declared is not None
        assert status is not None
        assert status.endpoint is not None
        key = Secret.model_validate(self.must("get", "secret", str(status.credential))).text("OPENAI_API_KEY")
        asked = DeclaredLoad(int(declared.requests_per_second), declared.prompt_tokens, declared.output_tokens)
        plan = TrialPlan(asked, WINDOW_MS, 3600, warmup_ms=0)
        others = os.sched_getaffinity(0) - set(self.held())
        return Load(self.home.path, Endpoint(status.endpoint, MODEL, key), plan, tuple(others))


@contextmanager
def interference(stage: Stage) -> Iterator[None]:
    """Busy processes on the contracted core."""
    with Interference(stage.held(), INTERFERERS):
        yield


@contextmanager
def stopped(stage: Stage) -> Iterator[None]:
    """The model's process is stopped and nobody lets it go on."""
    if (pid := stage.server()) is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    yield


@contextmanager
def killed(stage: Stage) -> Iterator[None]:
    """The model's process is killed; its supervisor starts it anew, which is no step of the ladder."""
    if (pid := stage.server()) is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    yield


FAULTS: dict[str, Callable[[Stage], Any]] = {
    "interference": interference,
    "server stopped": stopped,
    "server killed": killed,
}


def run(folder: Path, minutes: float) -> list[Mended]:
    """One row a kind. Raises BenchmarkError where the contract cannot be made or does not last."""
    need_model(MODEL)
    with home("remedied") as at:
        stage = Stage(at)
        _accept(stage, folder)
        rows = {kind: Mended(kind) for kind in FAULTS}
        spans: list[tuple[str, int, int]] = []
        over = time.monotonic() + minutes * 60
        with stage.load():
            while time.monotonic() < over:
                for kind, fault in FAULTS.items():
                    if time.monotonic() >= over:
                        break
                    _until(stage.ready, KEPT_SECONDS_MAX)
                    spans.append((kind, *_happen(stage, fault)))
                    rows[kind].faults += 1
        name = stage.contract().name
        for episode in stage.must("contract", "audit", name)["episodes"]:
            began_ms = parse_instant(episode["start"])
            during = [kind for kind, start, end in spans if start - WINDOW_MS <= began_ms <= end]
            if during:
                _add(rows[during[0]], episode)
        return list(rows.values())


def _accept(stage: Stage, folder: Path) -> None:
    path = folder / "need.yaml"
    path.write_text(NEED)
    said = stage.home.tenure("request", "-f", str(path), "--accept", "best")
    if said.returncode == COUNTER_OFFERED:
        offers = stage.must("get", "offers")["items"]
        held = next(offer for offer in offers if offer["status"]["phase"] == "Held")
        said = stage.home.tenure("accept", held["metadata"]["name"])
    if said.returncode != 0:
        raise BenchmarkError(f"no contract: {said.stdout}{said.stderr}")


def _happen(stage: Stage, fault: Callable[[Stage], Any]) -> tuple[int, int]:
    """Let a fault happen, until the promise was broken and is kept again; from and to, Unix ms."""
    began_ms = time.time_ns() // 1_000_000
    with fault(stage):
        _until(lambda: not stage.ready(), FAULT_SECONDS_MAX / 2)
        _until(stage.ready, FAULT_SECONDS_MAX)
        time.sleep(REST_SECONDS)
    return began_ms, time.time_ns() // 1_000_000


def _until(look: Callable[[], bool], seconds: float) -> None:
    """Wait for it, and not for ever: what does not come is seen in the audit."""
    over = time.monotonic() + seconds
    while time.monotonic() < over and not look():
        time.sleep(0.5)


def _add(row: Mended, episode: dict[str, Any]) -> None:
    row.episodes += 1
    row.detected_after_windows.append(episode["detectedAfterMs"] / WINDOW_MS)
    if episode["remediedAfterMs"] is not None:
        row.remedied_after_s.append(episode["remediedAfterMs"] / 1000)
    for remedy in episode["remedies"]:
        said = f"{remedy['rung']}: {remedy['outcome']}"
        row.rungs[said] = row.rungs.get(said, 0) + 1


NO_REMEDY = (
    "No other kind has a remedy time: load above the declared is owed nothing, who gives up met the same stopped\n"
    "server, and what fails of sensors, journals and clocks leaves nothing of the service that the ladder could mend."
)
"""Why faults of the other parts are not here."""


def table(rows: list[Mended]) -> str:
    """Aligned text, one kind a line."""
    lines = [f"{'kind':<22}{'faults':>8}{'episodes':>10}{'detected':>24}{'remedied':>24}  rungs"]
    for row in rows:
        rungs = ", ".join(f"{name} ({count})" for name, count in sorted(row.rungs.items())) or "none was needed"
        detected = _span(row.detected_after_windows, "windows")
        remedied = _span(row.remedied_after_s, "s")
        lines.append(f"{row.kind:<22}{row.faults:>8}{row.episodes:>10}{detected:>24}{remedied:>24}  {rungs}")
    return "\n".join([*lines, NO_REMEDY])


def _span(values: list[float], unit: str) -> str:
    """The median and the largest."""
    if not values:
        return "-"
    middle = sorted(values)[len(values) // 2]
    return f"{middle:.1f}, <= {max(values):.1f} {unit}"
