"""One command of a run: started inside its confinement, watched, restarted by its policy. Supervisors import it."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from typing import Any

from tenure.engines.local import procfs
from tenure.engines.local.confine import Groups
from tenure.engines.local.folder import RecordDamaged, RunFolder, read_json, write_json
from tenure.engines.local.output import STREAMS, LogFile, Output, open_pipe, pipe_path


class Command:
    """`record` is its part of state.json; `pid` is set while a process of it runs."""

    def __init__(self, folder: RunFolder, spec: dict[str, Any], record: dict[str, Any], limits: dict[str, Any]) -> None:
        self.folder = folder
        self.name: str = spec["name"]
        self.spec = spec
        self.record = record
        self.pid: int | None = None
        self.taken_over: int | None = None  # a pidfd, where the process is not our child
        self.due_ns: int | None = None
        self.kill_at_ns: int | None = None
        self.restart_at_once = False
        self.unrecorded = False  # who runs is not in its own file yet
        self.streak = 0
        self._up_since_ns = 0
        log = LogFile(f"{folder.logs}/{self.name}.log", limits["file_bytes_max"], limits["files_max"])
        self.outputs = [Output(folder.pipes, self.name, stream, log) for stream in STREAMS]

    def start(
        self, groups: Groups, cpus: list[int], argv: list[str], env: dict[str, str], boot: str, *, recorded: bool = True
    ) -> str | None:
        """Fork, confine, identify, execute. Returns what went wrong, or None once the program was executed.

        The child writes its own identity before its first instruction, while it still shares our lock: a next
        supervisor gets the lock only when there is no start that it does not know of. Where it need not be `recorded`
        a disk that refuses does not stop it: whom the next supervisor does not know by identity, it finds in the
        run's groups and ends before it starts the command anew (`Life.begin`).
        """
        self.due_ns = None
        self._clear_output()
        report, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become(groups, cpus, argv, env, boot, told, recorded)
        os.close(told)
        with os.fdopen(report, "rb") as pipe:
            trouble = pipe.read().decode(errors="replace")
        if trouble:
            os.waitpid(pid, 0)
            return trouble
        self.pid = pid
        self._up_since_ns = time.monotonic_ns()
        fields = procfs.stat_fields(pid)
        assert fields is not None, "a child stays until it is waited for"
        identity = {"pid": pid, "start_ticks": int(fields[19]), "boot_id": boot}
        self.record.update(process=identity, started_ms=_now_ms())
        self.unrecorded = not recorded and self._recorded() != identity
        return None

    def record_identity(self) -> bool:
        """Write down who runs, where its start could not. False where the disk still refuses."""
        if self.unrecorded and self.pid is not None:
            try:
                write_json(self.folder.command(self.name), self.record["process"])
            except OSError:
                return False
        self.unrecorded = False
        return True

    def _recorded(self) -> dict[str, Any] | None:
        with suppress(RecordDamaged):  # cut off by a full disk once: whoever it was is found in the run's groups
            return read_json(self.folder.command(self.name))
        return None

    def _become(
        self,
        groups: Groups,
        cpus: list[int],
        argv: list[str],
        env: dict[str, str],
        boot: str,
        told: int,
        recorded: bool,
    ) -> None:
        """The child's way from fork to exec. Never returns."""
        step = "confine"
        try:
            os.setsid()
            groups.join()
            if cpus:
                os.sched_setaffinity(0, cpus)
            step = "redirect"
            os.umask(0o022)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                file.write("0")
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, 0)
            for number, stream in enumerate(STREAMS, start=1):
                os.dup2(open_pipe(pipe_path(self.folder.pipes, self.name, stream)), number)
            step = "enter the working directory"
            os.chdir(self.spec["working_dir"])
            step = "record"
            identity = procfs.identity(os.getpid(), boot)
            assert identity is not None
            try:
                write_json(self.folder.command(self.name), identity)
            except OSError:
                if recorded:
                    raise
            for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            step = f"execute {argv[0]}"
            os.execvpe(argv[0], argv, env)
        except BaseException as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
            os.write(told, f"cannot {step}: {reason}".encode())
        finally:
            os._exit(127)

    def take_over(self, boot: str) -> bool:
        """Watch the process that an earlier supervisor started, where it still runs. It is not our child, so how it
        will end cannot be known; that it ends can (pidfd_open(2))."""
        try:
            identity = read_json(self.folder.command(self.name))
        except RecordDamaged:
            return False  # cut off by a full disk once: whoever it was is found in the run's groups, and ended
        self.record["process"] = identity
        if identity is None or not procfs.is_alive(identity, boot):
            return False
        try:
            descriptor = os.pidfd_open(identity["pid"])
        except ProcessLookupError:
            return False
        if not procfs.is_alive(identity, boot):
            os.close(descriptor)
            return False
        self.pid, self.taken_over = identity["pid"], descriptor
        self._up_since_ns = time.monotonic_ns()
        return True

    def signal_group(self, number: int) -> None:
        """Signal the command's own process group; it leads one since its start."""
        if self.pid is not None:
            try:
                os.killpg(self.pid, number)
            except (ProcessLookupError, PermissionError):
                return

    def ended(self, status: int | None, out_of_memory: bool) -> None:
        """Record an end; `status` as waitpid gives it, None where nobody could reap it."""
        if self.taken_over is not None:
            os.close(self.taken_over)
            self.taken_over = None
        self.pid = None
        self.kill_at_ns = None
        exit_code = None if status is None else os.waitstatus_to_exitcode(status)
        killed = exit_code is not None and exit_code < 0
        self.record.update(
            process=None,
            last_exit={
                "at_ms": _now_ms(),
                "known": status is not None,
                "code": None if killed else exit_code,
                "signal": -exit_code if exit_code is not None and killed else None,
                "out_of_memory": out_of_memory,
            },
        )

    def plan_restart(self) -> bool:
        """Whether the policy starts it again; if so, `due_ns` says when (at once where it was asked to)."""
        policy = self.spec["restart"]
        now_ns = time.monotonic_ns()
        if self.restart_at_once:
            self.restart_at_once = False
            self.due_ns = now_ns
            self.record["restarts"] += 1
            return True
        failed = self.record["last_exit"] is None or self.record["last_exit"]["code"] != 0
        if policy["policy"] == "never" or (policy["policy"] == "on-failure" and not failed):
            return False
        if now_ns - self._up_since_ns >= policy["settled_ms"] * 1_000_000:
            self.streak = 0
        if self.streak >= policy["restarts_max"]:
            self.record["given_up"] = True
            return False
        wait_ms = min(policy["backoff_ms"] << min(self.streak, 30), policy["backoff_ms_max"])
        self.streak += 1
        self.record["restarts"] += 1
        self.due_ns = now_ns + wait_ms * 1_000_000
        return True

    def _clear_output(self) -> None:
        for output in self.outputs:
            output.drain()
            output.flush()


def fresh_record() -> dict[str, Any]:
    """The state.json part of a command that never ran."""
    return {"process": None, "restarts": 0, "started_ms": None, "last_exit": None, "given_up": False}


def fill(text: str, values: dict[str, str]) -> str:
    """Replace the placeholders `{port.NAME}`, `{work_dir}`, `{run_dir}`; other braces stay as they are."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def as_json(value: dict[str, Any]) -> bytes:
    """One control message."""
    return json.dumps(value).encode()
