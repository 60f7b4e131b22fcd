"""The host's own figures in Prometheus' text format."""

from tenure.resources import KINDS
from tenure.server.host import Host


def count(host: Host, method: str, path: str, code: int, seconds: float) -> None:
    """Note one finished request. The resource is kept, names are not, so that the series stay few."""
    key = (method, _area(path), code)
    host.requests[key] = host.requests.get(key, 0) + 1
    host.request_seconds[_area(path)] = host.request_seconds.get(_area(path), 0.0) + seconds


def text(host: Host) -> str:
    """Everything, now."""
    s = host.store.statistics()
    lines = [
        *_series("tenure_store_version", "gauge", "Version of the newest change.", [("", s.version)]),
        *_series("tenure_store_log_changes", "gauge", "Changes kept for watches.", [("", s.log_changes)]),
        *_series("tenure_store_log_bytes", "gauge", "Bytes of those changes.", [("", s.log_bytes)]),
        *_series("tenure_store_commits_total", "counter", "Commits, each with one sync.", [("", s.commits)]),
        *_series("tenure_store_writes_total", "counter", "Writes in those commits.", [("", s.writes)]),
        *_series("tenure_store_commit_seconds_total", "counter", "Time in commits.", [("", s.commit_seconds)]),
        *_series("tenure_store_waiting_writes", "gauge", "Writes queued now.", [("", s.waiting_writes)]),
        *_series("tenure_store_file_bytes", "gauge", "Size of the database and its WAL.", [("", s.file_bytes)]),
        *_series("tenure_store_writable", "gauge", "1 while writes are taken.", [("", 0 if host.store.trouble else 1)]),
        *_series(
            "tenure_objects",
            "gauge",
            "Objects stored.",
            [(f'{{resource="{resource}"}}', n) for resource, n in sorted(s.objects.items())],
        ),
        *_series("tenure_watches", "gauge", "Watches that stand now.", [("", host.watches)]),
        *_series(
            "tenure_requests_total",
            "counter",
            "Requests answered.",
            [(f'{{method="{m}",area="{a}",code="{c}"}}', n) for (m, a, c), n in sorted(host.requests.items())],
        ),
        *_series(
            "tenure_request_seconds_total",
            "counter",
            "Time in those requests, watches included.",
            [(f'{{area="{a}"}}', round(n, 6)) for a, n in sorted(host.request_seconds.items())],
        ),
    ]
    return "\n".join(lines) + "\n"


def _series(name: str, type: str, meaning: str, samples: list[tuple[str, float]]) -> list[str]:
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {type}", *(f"{name}{labels} {v}" for labels, v in samples)]


def _area(path: str) -> str:
    """`api` and `apis` by plural, everything else by its first part."""
    parts = path.strip("/").split("/")
    if parts[0] not in ("api", "apis"):
        return parts[0] if parts[0] in _AREAS else "other"
    rest = parts[2 if parts[0] == "api" else 3 :]
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    return rest[0] if rest and rest[0] in _PLURALS else "discovery"


_AREAS = {"livez", "readyz", "healthz", "version", "metrics", "openapi"}
_PLURALS = {kind.plural for kind in KINDS}
