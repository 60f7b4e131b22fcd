"""Runtimes: how a sort of work is started, and how its own metrics read.

Pure: facts of a Runtime and of a model file, and a shape, go in; what to start, where it listens, how its health and
metrics are asked and how much memory it takes come out. `llamacpp` is the one server program that ships here.
Promises: a memory figure that real servers were measured to stay under; shapes that the runtime says it takes.
Refuses: to start anything (that is the engines) and to read metrics (that is measurement).

Names are imported on first use: `python -m tenure.runtimes.llamacpp` lives here beside every model.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tenure.runtimes.command import launch_command
    from tenure.runtimes.gguf import GgufFacts, NotGgufError, read_gguf
    from tenure.runtimes.launch import Launch, Shape, candidate_shapes
    from tenure.runtimes.llama import estimate_memory_bytes, launch_llamacpp
    from tenure.runtimes.metrics import MetricRule, parse_rule
else:
    from tenure.lazily import lazily

    __getattr__, __dir__ = lazily(
        __name__,
        {
            "tenure.runtimes.command": "launch_command",
            "tenure.runtimes.gguf": "GgufFacts NotGgufError read_gguf",
            "tenure.runtimes.launch": "Launch Shape candidate_shapes",
            "tenure.runtimes.llama": "estimate_memory_bytes launch_llamacpp",
            "tenure.runtimes.metrics": "MetricRule parse_rule",
        },
    )

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
