"""From what was asked (spec.json) to what a command is given: first state, files, environment, placeholders.

Supervisors import it, so values are plain dicts; `tenure.engines.local.translate` is their typed side.
"""

from __future__ import annotations

import base64
import os
import socket
import zlib
from typing import Any

from tenure.engines.local import confine, procfs
from tenure.engines.local.command import fill, fresh_record
from tenure.engines.local.folder import RunFolder
from tenure.engines.local.term import boottime_ms, wall_ms

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PORTS = range(20_000, 32_000)  # below the kernel's default ephemeral range, so that no outgoing connection takes one


def first_state(spec: dict[str, Any], boot: str) -> dict[str, Any]:
    """The record of a run that has just been claimed."""
    commands = [spec["work"]["name"], *(sidecar["name"] for sidecar in spec["sidecars"])]
    return {
        "phase": "Starting",
        "reason": None,
        "message": "",
        "boot_id": boot,
        "supervisor": None,
        "mechanism": None,
        "base": None,
        "groups": [],
        "not_enforced": [],
        "commands": {name: fresh_record() for name in commands},
        "ports": choose_ports(spec["ports"], spec["run_id"]),
        "healthy": None,
        "healthy_since_ms": None,
        "first_healthy_ms": None,
        "claimed_ms": wall_ms(),
        "reference": {"wall_ms": wall_ms(), "boottime_ms": boottime_ms()},
        "ended_ms": None,
        "end_ms": spec["end_ms"],
        "cpus": spec["cpus"],
        "memory_nodes": spec["memory_nodes"],
        "memory_bytes": spec["memory_bytes"],
        "cpu_quota_milli": spec["cpu_quota_milli"],
        "takeovers": 0,
        "reboots": 0,
        "clock_step_ms": 0,
    }


def note_past(state: dict[str, Any], spec: dict[str, Any], boot: str, *, resumed: bool) -> None:
    """Say in the record that this is a takeover, or a new boot, or the first start; and who supervises from now on."""
    if resumed and state["boot_id"] != boot:
        state.update(boot_id=boot, reboots=state["reboots"] + 1, mechanism=None)
        state["reference"] = {"wall_ms": wall_ms(), "boottime_ms": boottime_ms()}
    elif resumed:
        state["takeovers"] += 1
    if state["mechanism"] is None:
        mechanism = "affinity" if spec["enforcement"] == "affinity" else confine.granted()[0]
        state.update(mechanism=mechanism, base=confine.base_for(mechanism, spec["group"]))
    state["supervisor"] = procfs.identity(os.getpid(), boot)


def choose_ports(wanted: dict[str, int], run_id: str) -> dict[str, int]:
    """A free loopback port for each one asked as 0. Where the search starts follows from the run's id, so that runs
    that start together do not try the same port."""
    chosen: dict[str, int] = {}
    offset = zlib.crc32(run_id.encode())
    for name, port in wanted.items():
        for step in range(len(PORTS)):
            if port:
                break
            candidate = PORTS[(offset + step) % len(PORTS)]
            if candidate not in chosen.values() and _is_free(candidate):
                port = candidate
        if not port:
            raise OSError("no free loopback port is left")
        chosen[name] = port
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def allocation_of(state: dict[str, Any], spec: dict[str, Any], *, side: bool = False) -> dict[str, Any]:
    """What the work, or the sidecars, may use now."""
    names = ("cpus", "memory_nodes", "memory_bytes", "cpu_quota_milli")
    allocation = {name: state[name] for name in names} | {"processes_max": spec["processes_max"]}
    if side:
        allocation.update(cpus=spec["system_cpus"], memory_nodes=[], memory_bytes=None, cpu_quota_milli=None)
    return allocation


def placeholders(folder: RunFolder, state: dict[str, Any]) -> dict[str, str]:
    """What argv, env and files may refer to."""
    ports = {f"port.{name}": str(port) for name, port in state["ports"].items()}
    return {**ports, "work_dir": folder.work, "run_dir": folder.path}


def environment(
    folder: RunFolder, spec: dict[str, Any], command: dict[str, Any], values: dict[str, str], *, side: bool
) -> tuple[list[str], dict[str, str]]:
    """Arguments and the whole environment of a command."""
    part = "side" if side else "work"
    env = {"PATH": DEFAULT_PATH, "HOME": folder.work, "LANG": "C.UTF-8"}
    env.update({name: fill(text, values) for name, text in command["env"].items()})
    env.update(
        TENURE_RUN_ID=spec["run_id"],
        TENURE_RUN_COMMAND=command["name"],
        TENURE_RUN_MARK=f"{spec['group']}/{spec['run_id']}.{part}",
    )
    return [fill(text, values) for text in command["argv"]], env


def values_apply(content: bytes) -> bool:
    """Whether the content is text, which alone may refer to placeholders."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def place_files(folder: RunFolder, spec: dict[str, Any], state: dict[str, Any]) -> None:
    """Write the run's files into its working directory, unless they are there already."""
    values = placeholders(folder, state)
    for path, file in spec["files"].items():
        target = os.path.join(folder.work, path)
        if os.path.exists(target):
            continue
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        content = base64.b64decode(file["content"])
        if values_apply(content):
            content = fill(content.decode(), values).encode()
        descriptor = os.open(f"{target}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, file["mode"])
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            os.fchmod(out.fileno(), file["mode"])
        os.replace(f"{target}.new", target)
