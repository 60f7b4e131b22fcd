"""Caches by level, and which cores share each. Pure."""

from __future__ import annotations

import re

from tenure.discovery.cores import CPU
from tenure.discovery.findings import Findings
from tenure.discovery.reading import FileFacts
from tenure.topology import Cache, Core, Fact, Unknown, known_or

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def understand_caches(facts: FileFacts, findings: Findings, cores: tuple[Core, ...]) -> tuple[Cache, ...]:
    """Caches, outermost level first, each once."""
    core_of = {cpu: core.id for core in cores for cpu in core.cpus}
    found: dict[tuple[int, str, tuple[int, ...]], Fact[int]] = {}
    without: list[int] = []
    for core in cores:
        indexes = facts.names(f"{CPU}/cpu{core.id}/cache")
        indexes = tuple(name for name in indexes if name.startswith("index"))
        if not indexes:
            without.append(core.id)
        for index in indexes:
            folder = f"{CPU}/cpu{core.id}/cache/{index}"
            level, kind = facts.number(f"{folder}/level"), facts.text(f"{folder}/type")
            if isinstance(level, Unknown) or isinstance(kind, Unknown):
                continue
            shared = known_or(facts.cpus(f"{folder}/shared_cpu_list", f"{folder}/shared_cpu_map"), ()) or core.cpus
            sharing = tuple(sorted({core_of[cpu] for cpu in shared if cpu in core_of} | {core.id}))
            found.setdefault((level, kind.lower(), sharing), _size(facts, f"{folder}/size"))
    if without:
        findings.missing("caches", f"/{CPU}/cpu*/cache", f"{len(without)} of {len(cores)} cores show none")
    ordered = sorted(found.items(), key=lambda item: (-item[0][0], item[0][1], item[0][2]))
    return tuple(Cache(level, kind, size, sharing) for (level, kind, sharing), size in ordered)


def _size(facts: FileFacts, path: str) -> Fact[int]:
    text = facts.text(path)
    if isinstance(text, Unknown):
        return text
    match = re.fullmatch(r"(\d+)([KMG]?)", text)
    if match is None or int(match[1]) == 0:
        return Unknown(f"/{path} says {text[:20]!r}")
    return int(match[1]) * _UNITS[match[2]]
