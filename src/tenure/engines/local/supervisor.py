"""The supervisor of one run: `python -m tenure.engines.local.supervisor RUN_FOLDER [READY_DESCRIPTOR]`.

A process of its own session that outlives the server, the shell and whoever asked for the run. It holds the run's lock
for life; a second one finds it taken and leaves. It starts the commands inside their confinement, keeps their output,
restarts them by policy, obeys its control socket, ends the run at its own end, and leaves nothing behind.
Killed itself, it leaves its commands running; the next one (started by `adopt` or `start`) takes them over.
Kept small: no third-party import, no dataclasses, no subprocess (docs/contributing/engines.md has its measured size).
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from contextlib import suppress

from tenure.engines.local import procfs
from tenure.engines.local.closing import close
from tenure.engines.local.folder import RecordDamaged, RunFolder, drop_half_written, read_json, try_lock
from tenure.engines.local.life import Life
from tenure.engines.local.obey import obey


def _detach() -> None:
    """Become nobody's child: the session leader forks once more and leaves, init inherits the rest."""
    if os.getpid() != os.getsid(0):
        os.setsid()
    if os.fork() != 0:
        os._exit(0)
    os.chdir("/")
    os.umask(0o077)


def _lock(folder: RunFolder, patience_s: float = 3.0) -> int | None:
    """The run's lock. A child that a dead supervisor had just forked may hold it until it executes: wait for that."""
    deadline = time.monotonic() + patience_s
    while (descriptor := try_lock(folder.lock)) is None:
        state = read_json(folder.state)
        if state is not None and procfs.is_alive(state["supervisor"], procfs.boot_id()):
            return None
        if time.monotonic() > deadline:
            return None
        time.sleep(0.01)
    return descriptor


def _refuse(error: Exception) -> int:
    with suppress(OSError):  # its log may be on the same disk
        print(f"cannot supervise: {error}", file=sys.stderr, flush=True)
    return errno.EIO


def main(arguments: list[str]) -> int:
    """Supervise the run of a folder. Exits at once, and quietly, where another supervisor has it or it is over."""
    folder = RunFolder(arguments[0])
    ready = int(arguments[1]) if len(arguments) > 1 else None
    if ready is not None:
        os.set_inheritable(ready, False)
    _detach()
    try:
        lock = _lock(folder)
        spec = read_json(folder.spec)
        state = read_json(folder.state)
    except (OSError, RecordDamaged) as error:
        return _refuse(error)
    if lock is None or spec is None or (state is not None and state["phase"] == "Ended"):
        return 0
    drop_half_written(folder.state)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("-500")  # short of memory, the kernel should take the work rather than its keeper
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        life = Life(folder, spec, obey)
    except OSError as error:
        return _refuse(error)

    def leave(*_: object) -> None:
        life.interrupted = True  # and the loop, which a signal wakes, does the rest: it may be in the middle of a write

    signal.signal(signal.SIGTERM, leave)
    try:
        trouble = life.begin()
    except OSError as error:
        return _refuse(error)
    if trouble is None:
        if ready is not None:
            os.close(ready)
        life.run()
    close(life, trouble)  # and with this process the ready descriptor of a failed start: its starter reads on
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
