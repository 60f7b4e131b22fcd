"""Starting a supervisor so that it belongs to nobody: its own session, double-forked, and told to be found by systemd
where that is what grants it a cgroup v2 subtree."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from tenure.engines.local import confine
from tenure.engines.local.folder import RunFolder

SOURCE_ROOT = str(Path(__file__).resolve().parents[3])
PROBE = """
import json
from tenure.engines.local import confine
mechanism, controllers, refused = confine.granted()
print(json.dumps([mechanism, sorted(controllers), refused]))
"""


def supervisor_command(folder: RunFolder, ready: int) -> list[str]:
    """The supervisor's command line. `-S` leaves site-packages out: it needs none, and starts smaller and faster."""
    return [sys.executable, "-S", "-m", "tenure.engines.local.supervisor", folder.path, str(ready)]


def scope_prefix() -> list[str]:
    """`systemd-run` in front, where only a delegated user scope grants control groups; else nothing."""
    mechanism, _, _ = confine.granted()
    bus = os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), "systemd", "private")
    program = shutil.which("systemd-run")
    if mechanism != "affinity" or program is None or os.geteuid() == 0 or not os.path.exists(bus):
        return []
    return [program, "--user", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--"]


def granted_to_supervisors() -> tuple[str, set[str], list[str]]:
    """What `confine.granted` says inside a supervisor, tried: as it stands here, or inside a scope of its own."""
    prefix = scope_prefix()
    if not prefix:
        return confine.granted()
    command = [*prefix, sys.executable, "-S", "-c", PROBE]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=_environment(),
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError) as error:
        mechanism, controllers, refused = confine.granted()
        return mechanism, controllers, [*refused, f"systemd gave no scope of its own: {error}"]
    mechanism, names, refused = json.loads(done.stdout)
    return mechanism, set(names), refused


def _environment() -> dict[str, str]:
    """A supervisor's environment: where the program and its interpreter lie, and how systemd is reached."""
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "PYTHONPATH": SOURCE_ROOT,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }
    for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "LD_LIBRARY_PATH", "PYTHONHOME"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment


def _log(folder: RunFolder) -> BinaryIO:
    """Where a supervisor says why it could not begin; nowhere on a disk that takes no file."""
    try:
        return open(f"{folder.logs}/supervisor.log", "ab")
    except OSError:
        return open(os.devnull, "ab")


def launch(folder: RunFolder, timeout_s: float = 15.0) -> None:
    """Start a supervisor for the folder; returns once it has started the run's command, failed, or found the run
    taken. Safe to repeat and to die in: whoever gets the run's lock supervises, everyone else leaves."""
    ready, told = os.pipe()
    try:
        with _log(folder) as log:
            subprocess.run(
                [*scope_prefix(), *supervisor_command(folder, told)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                pass_fds=(told,),
                start_new_session=True,
                timeout=timeout_s,
                check=False,
                cwd="/",
            )
    finally:
        os.close(told)
    with os.fdopen(ready, "rb") as pipe:
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        waiting.poll(timeout_s * 1000)  # closed by the supervisor, or by its death
