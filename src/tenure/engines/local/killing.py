"""Killing a tree until nothing is left of it, and collecting the dead. Supervisors import it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from tenure.engines.local import procfs
from tenure.engines.local.command import Command
from tenure.engines.local.confine import Groups


def kill_tree(groups: Groups, own: set[int | None], patience_s: float = 10.0) -> bool:
    """Kill what is in `groups` until it is empty. `own` are the commands' main processes, reaped elsewhere.

    False where something was still there after `patience_s` (a process in uninterruptible sleep, for instance).
    """
    deadline = time.monotonic() + patience_s
    while groups.members():
        groups.kill()
        reap_strays(own)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def kill_strangers(groups: Groups, known: set[int], own: set[int | None], patience_s: float = 10.0) -> bool:
    """Kill what is in `groups` outside the sessions that `known` lead, one by one: those go on meanwhile.

    A command leads a session from before it joins its groups, so whoever is in none of these was started by a
    supervisor that could not write down whom. False where something was still there after `patience_s`.
    """
    deadline = time.monotonic() + patience_s
    while strangers := [pid for pid in groups.members() if _session(pid) not in known]:
        for pid in strangers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        reap_strays(own)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def collect(commands: Sequence[Command], boot: str) -> Iterator[tuple[Command, int | None]]:
    """Commands whose main process has ended, each with its wait status; None where it was no child of ours to wait for.

    Dead orphans that came to us as their subreaper are collected in passing.
    """
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            break
        for command in commands:
            if command.pid == pid and command.taken_over is None:
                yield command, status
    for command in commands:
        if command.taken_over is not None and not procfs.is_alive(command.record["process"], boot):
            yield command, None


def reap_strays(own: set[int | None]) -> None:
    """Collect dead orphans that came to us as their subreaper."""
    for pid in procfs.pids():
        fields = procfs.stat_fields(pid)
        if fields is not None and fields[0] == "Z" and int(fields[1]) == os.getpid() and pid not in own:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
