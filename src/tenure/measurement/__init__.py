"""Measurement: everything that looks at a running workload and writes down what it saw.

Trials over the real endpoint, the tap in front of it with its journal, the prober outside, scrapes of its own metrics,
the kernel's facts about its processes, and the store of what is known.
Promises: open-loop timing that counts from when a request was due; windows aligned to the clock; bounded memory and
disk; what was not seen is said, never filled in.
Refuses: to judge (that is `tenure.promises`) and to start or stop workloads (that is the engines).

Names are imported on first use, because the tap runs beside every workload and must stay small.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenure.measurement.endpoint import Endpoint, Prompt, ask
    from tenure.measurement.prompts import NoTokenCountError, PromptMaker, calibrate
    from tenure.measurement.trial import Progress, Trial, TrialPlan, run_trial
    from tenure.measurement.windows import aligned_start_ms, window_at, windows_of

_HOMES = {
    "endpoint": ("Endpoint", "Prompt", "ask"),
    "prompts": ("NoTokenCountError", "PromptMaker", "calibrate"),
    "trial": ("Progress", "Trial", "TrialPlan", "run_trial"),
    "windows": ("aligned_start_ms", "window_at", "windows_of"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Endpoint",
    "NoTokenCountError",
    "Progress",
    "Prompt",
    "PromptMaker",
    "Trial",
    "TrialPlan",
    "aligned_start_ms",
    "ask",
    "calibrate",
    "run_trial",
    "window_at",
    "windows_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
