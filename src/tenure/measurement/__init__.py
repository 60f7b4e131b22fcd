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
    from tenure.measurement.gathering import Declared, gather
    from tenure.measurement.journal import JournalWriter
    from tenure.measurement.journal_reader import read_journal
    from tenure.measurement.journal_reading import Checkpoint, Damage, DamageKind, JournalReading
    from tenure.measurement.kernel import Cause, KernelFacts, causes, read_facts
    from tenure.measurement.keys import KeyEntry, KeyRing, mac_of, new_key
    from tenure.measurement.neighbour import start_neighbours
    from tenure.measurement.prompts import NoTokenCountError, PromptMaker, calibrate
    from tenure.measurement.scrape import LLAMA_CPP, VLLM, MetricsMap, Scrape, ScrapeError
    from tenure.measurement.sketch import Sketch
    from tenure.measurement.store import Evidence, EvidenceKey, MeasurementStore
    from tenure.measurement.tap_config import TapConfig, TapConfigError
    from tenure.measurement.trial import Progress, Trial, TrialPlan, run_trial, saturating
    from tenure.measurement.windows import aligned_start_ms, part_windows, window_at, windows_of

_HOMES = {
    "endpoint": (
        "Endpoint",
        "Prompt",
        "ask",
    ),
    "gathering": (
        "Declared",
        "gather",
    ),
    "journal": ("JournalWriter",),
    "journal_reader": ("read_journal",),
    "journal_reading": ("Checkpoint", "Damage", "DamageKind", "JournalReading"),
    "kernel": (
        "Cause",
        "KernelFacts",
        "causes",
        "read_facts",
    ),
    "keys": (
        "KeyEntry",
        "KeyRing",
        "mac_of",
        "new_key",
    ),
    "neighbour": ("start_neighbours",),
    "prompts": (
        "NoTokenCountError",
        "PromptMaker",
        "calibrate",
    ),
    "scrape": (
        "LLAMA_CPP",
        "VLLM",
        "MetricsMap",
        "Scrape",
        "ScrapeError",
    ),
    "sketch": ("Sketch",),
    "store": (
        "Evidence",
        "EvidenceKey",
        "MeasurementStore",
    ),
    "tap_config": (
        "TapConfig",
        "TapConfigError",
    ),
    "trial": (
        "Progress",
        "Trial",
        "TrialPlan",
        "saturating",
        "run_trial",
    ),
    "windows": (
        "aligned_start_ms",
        "window_at",
        "part_windows",
        "windows_of",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "LLAMA_CPP",
    "VLLM",
    "Cause",
    "Checkpoint",
    "Damage",
    "DamageKind",
    "Declared",
    "Endpoint",
    "Evidence",
    "EvidenceKey",
    "JournalReading",
    "JournalWriter",
    "KernelFacts",
    "KeyEntry",
    "KeyRing",
    "MeasurementStore",
    "MetricsMap",
    "NoTokenCountError",
    "Progress",
    "Prompt",
    "PromptMaker",
    "Scrape",
    "ScrapeError",
    "Sketch",
    "TapConfig",
    "TapConfigError",
    "Trial",
    "TrialPlan",
    "aligned_start_ms",
    "ask",
    "calibrate",
    "causes",
    "gather",
    "mac_of",
    "new_key",
    "part_windows",
    "read_facts",
    "read_journal",
    "run_trial",
    "saturating",
    "start_neighbours",
    "window_at",
    "windows_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
