"""One request through the layers: its times at the tap, the window that judged it, the server, the cores under it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.measurement import read_journal
from tenure.promises import RequestSample
from tenure.resources import Contract
from tenure.resources.kinds.standing import WindowVerdict

NEAR_NS = 5 * 10**9


@dataclass(frozen=True, slots=True)
class Traced:
    """What is known of one request. `running` is what the server itself said nearest to its arrival."""

    contract: Contract
    role: str
    sample: RequestSample
    windows: tuple[WindowVerdict, ...]
    running: float | None

    def facts(self) -> list[tuple[str, str, str]]:
        """Layer, what is said of it, and by whom."""
        sample, spec, status = self.sample, self.contract.spec, self.contract.status
        first = sample.first_token_after_ns
        cores = ", ".join(map(str, spec.hold.claims[0].cores))
        run = status.run if status else None
        agree = sum(fact.agrees for fact in run.read_back) if run else 0
        found = [
            ("response", _times(first, sample), "tap"),
            ("outcome", f"{sample.outcome}, status {sample.status}, {sample.output_tokens} tokens", "tap"),
            ("server", "unknown" if self.running is None else f"{self.running:.0f} requests at once", "its counters"),
            (
                "cores",
                f"{cores} on {spec.machine}, shape {spec.shape.threads if spec.shape else 1} threads",
                "contract",
            ),
            (
                "limits",
                f"{agree} of {len(run.read_back) if run else 0} agree, by {run.mechanism if run else '?'}",
                "kernel",
            ),
            ("power", str(spec.watts.power or spec.watts.unknown_because or "unknown"), "contract"),
        ]
        for window in self.windows:
            name = f"{window.metric} {window.percentile or ''}".strip()
            found.append(("promise", f"{name}: {window.verdict}, {window.reason}", "judge"))
        return found


def _times(first_ns: int | None, sample: RequestSample) -> str:
    begun = "no token" if first_ns is None else f"first token after {first_ns / 1e6:.0f} ms"
    gaps = f", longest gap {max(sample.gaps_ns) / 1e6:.0f} ms" if sample.gaps_ns else ""
    ended = f", ended after {sample.end_after_ns / 1e6:.0f} ms" if sample.end_after_ns is not None else ""
    return begun + gaps + ended


def trace(home: Path, contracts: list[Contract], request: str) -> Traced | None:
    """The request of that id (its X-Request-Id) in these contracts' journals; None where none of them knows it."""
    for contract in contracts:
        folder = home / "runs" / contract.spec.hold.id
        if not (folder / "journal").is_dir():
            continue
        for role, samples in read_journal(folder / "journal").samples.items():
            for sample in samples:
                if sample.request_id == request:
                    return Traced(contract, role, sample, _judged(contract, sample), _running(folder, sample))
    return None


def _judged(contract: Contract, sample: RequestSample) -> tuple[WindowVerdict, ...]:
    at_ms = sample.arrival_ns // 1_000_000
    windows = contract.status.windows if contract.status else []
    return tuple(w for w in windows if int(w.start) <= at_ms < int(w.end))


def _running(folder: Path, sample: RequestSample) -> float | None:
    if not (folder / "prober").is_dir():
        return None
    scrapes = read_journal(folder / "prober").scrapes
    nearest = min(scrapes, key=lambda s: abs(s.at_ns - sample.arrival_ns), default=None)
    return nearest.running if nearest and abs(nearest.at_ns - sample.arrival_ns) <= NEAR_NS else None


def to_json(traced: Traced) -> dict[str, Any]:
    """The trace as JSON."""
    sample = traced.sample
    return {
        "contract": traced.contract.name,
        "role": traced.role,
        "request": sample.request_id,
        "arrivalNs": sample.arrival_ns,
        "firstTokenNs": sample.first_token_after_ns,
        "endNs": sample.end_after_ns,
        "layers": [{"layer": layer, "said": said, "by": source} for layer, said, source in traced.facts()],
    }
