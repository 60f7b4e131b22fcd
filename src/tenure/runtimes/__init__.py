"""Runtimes: how a sort of work is started, and how its own metrics read.

Pure: facts of a Runtime and of a model file, and a shape, go in; what to start, where it listens, how its health and
metrics are asked and how much memory it takes come out. `llamacpp` is the one server program that ships here.
Promises: a memory figure that real servers were measured to stay under; shapes that the runtime says it takes.
Refuses: to start anything (that is the engines) and to read metrics (that is measurement).

Names are imported on first use: `python -m tenure.runtimes.llamacpp` lives here beside every model.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tenure.runtimes.command import launch_command
    from tenure.runtimes.gguf import GgufFacts, NotGgufError, read_gguf
    from tenure.runtimes.launch import Launch, Shape, candidate_shapes
    from tenure.runtimes.llama import estimate_memory_bytes, launch_llamacpp
    from tenure.runtimes.metrics import MetricRule, parse_rule

_HOMES = {
    "command": ("launch_command",),
    "gguf": ("GgufFacts", "NotGgufError", "read_gguf"),
    "launch": ("Launch", "Shape", "candidate_shapes"),
    "llama": ("estimate_memory_bytes", "launch_llamacpp"),
    "metrics": ("MetricRule", "parse_rule"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "GgufFacts",
    "Launch",
    "MetricRule",
    "NotGgufError",
    "Shape",
    "candidate_shapes",
    "estimate_memory_bytes",
    "launch_command",
    "launch_llamacpp",
    "parse_rule",
    "read_gguf",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # late: the server process never needs it

    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
