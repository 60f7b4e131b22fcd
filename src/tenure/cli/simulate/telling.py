"""A run as JSON-ready data: its figures, and what stood at each of its instants. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenure.cli.simulate.jobs import Trace
from tenure.cli.simulate.state import Door, State, gpu_time_ms


def sample(state: State, waiting: int, at_ms: int) -> dict[str, Any]:
    """What stands. `map` has one letter a machine: x failed, else 0 (empty) to 9 (full)."""
    site = state.site
    devices = site.capacity[:, 0] * 1000
    share = np.where(devices > 0, -(-site.used * 9 // np.maximum(devices, 1)), 0)
    pairs = zip(share.tolist(), site.out.tolist(), strict=True)
    digits = "".join("x" if out else str(min(9, digit)) for digit, out in pairs)
    return {
        "atMs": at_ms - state.first_ms,
        "gpus": round(int(site.used.sum()) / 1000, 3),
        "powerW": site.draw_mw // 1000,
        "waiting": waiting,
        "running": len(state.running),
        "map": digits,
    }


def told(state: State, door: Door, trace: Trace) -> dict[str, Any]:
    """The whole run."""
    site = state.site
    promised_at = door.told()
    span = max(1, state.series[-1]["atMs"] - state.series[0]["atMs"]) if state.series else 1
    gpus = int(site.capacity[:, 0].sum())
    running_ms = sum(
        max(0, state.now_ms - placed.start_ms) * int(placed.taken.sum()) // 1000 for placed in state.running.values()
    )
    gpu_ms = state.gpu_ms + running_ms
    return {
        "trace": {"source": trace.source, "form": trace.form, "jobs": len(trace.jobs)},
        "fleet": {
            "machines": len(site.fleet.machines),
            "gpus": gpus,
            "levels": list(site.fleet.level_names()),
            "powerBudgets": len(site.power.budgets),
            "powerKnown": bool(site.power.device_mw.any() or site.power.core_mw.any()),
        },
        "jobs": {
            **{name: state.count[name] for name in ("arrived", "started", "finished", "lost")},
            "waitingAtEnd": len(door.waiting),
            "refused": dict(sorted((reason, n) for reason, n in state.refused.items() if n)),
        },
        "promises": {**_promises(state), **promised_at},
        "waitSeconds": _waits(sorted(state.waits_ms)),
        "heldBy": dict(sorted((reason, n) for reason, n in state.held_by.items() if reason)),
        "gpuHours": round(gpu_ms / 3_600_000, 1),
        "occupiedShare": round(gpu_ms / max(1, gpus * span), 4),
        "peakPowerW": state.peak_mw // 1000,
        "series": state.series,
    }


def _promises(state: State) -> dict[str, Any]:
    asked = [job for job in state.jobs if job.deadline_ms is not None]
    gpu_ms = sum(gpu_time_ms(job) for job in asked)
    return {
        "asked": len(asked),
        **{name: state.count[name] for name in ("promised", "kept", "broken")},
        "keptShare": round(state.count["kept"] / max(1, len(asked)), 4),
        "keptGpuTimeShare": round(state.kept_gpu_ms / max(1, gpu_ms), 4),
    }


def _waits(waits: list[int]) -> dict[str, float]:
    def percentile(share: float) -> float:
        return round(waits[min(len(waits) - 1, int(share * len(waits)))] / 1000, 1) if waits else 0.0

    return {
        "mean": round(sum(waits) / 1000 / max(1, len(waits)), 1),
        "p50": percentile(0.5),
        "p95": percentile(0.95),
        "max": round((waits[-1] if waits else 0) / 1000, 1),
    }
