"""Any command: a batch job, a training, a server of one's own; with an OpenMetrics endpoint or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenure.runtimes.launch import Launch
from tenure.runtimes.metrics import MetricRule


def launch_command(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, tuple[bytes, int]] | None = None,
    ports: Mapping[str, int] | None = None,
    health_port: str | None = None,
    health_path: str | None = None,
    protocol: str = "none",
    endpoint_port: str | None = None,
    metrics_port: str | None = None,
    metrics_path: str = "/metrics",
    metrics: Sequence[MetricRule] = (),
    memory_bytes: int | None = None,
) -> Launch:
    """Start `argv` as it is. Ports that health, endpoint or metrics name must be among `ports`; ValueError else."""
    named = dict(ports or {})
    for role, port in (("health", health_port), ("endpoint", endpoint_port), ("metrics", metrics_port)):
        if port is not None and port not in named:
            raise ValueError(f"the {role} port {port!r} is not among the ports {sorted(named)}")
    if not argv:
        raise ValueError("name the program to start")
    return Launch(
        argv=tuple(argv),
        env=dict(env or {}),
        files=dict(files or {}),
        ports=named,
        health_port=health_port,
        health_path=health_path,
        protocol=protocol,
        endpoint_port=endpoint_port,
        metrics_port=metrics_port,
        metrics_path=metrics_path if metrics_port is not None else None,
        metrics=tuple(metrics),
        memory_bytes=memory_bytes,
    )
