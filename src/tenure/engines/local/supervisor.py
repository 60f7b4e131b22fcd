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
import select
import signal
import sys
import time
from typing import Any

from tenure.engines.local import confine, control, procfs
from tenure.engines.local.command import Command
from tenure.engines.local.folder import RunFolder, read_json, try_lock, write_json
from tenure.engines.local.health import Health
from tenure.engines.local.record import allocation_of, environment, first_state, place_files, placeholders
from tenure.engines.local.term import Term, boottime_ms, wall_ms

SIDECAR_GRACE_MS = 2_000
KILL_AGAIN_NS = 200_000_000
WAKE_MS_MAX = 30_000  # also how late a jump of the wall clock is noticed


class Supervisor:
    """One run from its first instruction to nothing left."""

    def __init__(self, folder: RunFolder, spec: dict[str, Any]) -> None:
        self.folder = folder
        self.spec = spec
        self.boot = procfs.boot_id()
        known = read_json(folder.state)
        self.state = first_state(spec, self.boot) if known is None else known
        self.resumed = known is not None
        self.rebooted = known is not None and known["boot_id"] != self.boot
        self._note_past()
        names = [self.spec["work"], *self.spec["sidecars"]]
        self.commands = [Command(folder, part, self.state["commands"][part["name"]], spec["logs"]) for part in names]
        self.work = self.commands[0]
        base = self.state["base"]
        mechanism, parent = self.state["mechanism"], spec["group"]
        self.work_groups = confine.groups(mechanism, parent, folder.run_id, "work", base)
        self.side_groups = confine.groups(mechanism, parent, folder.run_id, "side", base)
        reference = self.state["reference"]
        self.term = Term(self.state["end_ms"], reference["wall_ms"], reference["boottime_ms"])
        health = spec["health"]
        self.health = None if health is None else Health(health, self.state["ports"][health["port"]])
        self.poll = select.poll()
        self.wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)  # before the first child can end
        self.listener = control.listen(folder)
        self.callers: dict[int, control.Caller] = {}
        stopping = self.state["phase"] == "Stopping" and self.state["reason"] != "SupervisorDied"
        self.ending: str | None = self.state["reason"] if stopping else None
        self.interrupted = False
        self._oom_seen = 0

    def _note_past(self) -> None:
        """Say in the record that this is a takeover, or a new boot, or the first start."""
        state = self.state
        if self.rebooted:
            state.update(boot_id=self.boot, reboots=state["reboots"] + 1)
            state["reference"] = {"wall_ms": wall_ms(), "boottime_ms": boottime_ms()}
            state["mechanism"] = None
        elif self.resumed:
            state["takeovers"] += 1
        if state["mechanism"] is None:
            wanted = self.spec["enforcement"]
            mechanism = "affinity" if wanted == "affinity" else confine.granted()[0]
            state.update(mechanism=mechanism, base=confine.base_for(mechanism, self.spec["group"]))
        state["supervisor"] = procfs.identity(os.getpid(), self.boot)

    def save(self, **changes: Any) -> None:
        """Record durably what is true now."""
        self.state.update(changes)
        if self.health is not None:
            self.state.update(
                healthy=self.health.healthy,
                healthy_since_ms=self.health.healthy_since_ms,
                first_healthy_ms=self.health.first_healthy_ms or self.state["first_healthy_ms"],
            )
        write_json(self.folder.state, self.state)

    # Starting

    def begin(self) -> str | None:
        """Confine, take over what runs, start what does not. Returns why the run could not be started."""
        if self.spec["system_cpus"]:
            os.sched_setaffinity(0, self.spec["system_cpus"])
        self.save(phase="Stopping" if self.ending else "Starting")
        place_files(self.folder, self.spec, self.state)
        try:
            self.work_groups.create(allocation_of(self.state, self.spec))
            if self.spec["sidecars"]:
                self.side_groups.create(allocation_of(self.state, self.spec, side=True))
        except (OSError, KeyError) as error:
            return f"cannot confine the run by {self.state['mechanism']}: {error}"
        sides = self.side_groups.directories if self.spec["sidecars"] else []
        self.state["groups"] = [*self.work_groups.directories, *sides]
        self.state["not_enforced"] = self.work_groups.not_enforced
        self._oom_seen = self.work_groups.out_of_memory_kills()
        self.save()
        running = [command for command in self.commands if command.take_over(self.boot)]
        if self.work not in running:
            self._kill_tree(self.work_groups)
        if not any(command in running for command in self.commands[1:]):
            self._kill_tree(self.side_groups)
        for command in reversed(self.commands):  # sidecars first: the work may be asked the moment it is up
            trouble = None if command in running else self._start_where_wanted(command)
            if trouble:
                return trouble
        if not self.ending:
            self.save(phase="Running" if self.work.pid is not None else "BackingOff")
        if self.work.pid is not None and self.health is not None:
            self.health.begin()
        return None

    def _start_where_wanted(self, command: Command) -> str | None:
        """Start a command that does not run: for the first time, or as its policy says after an unseen end."""
        if self.ending:
            return None
        first = command.record["process"] is None and command.record["last_exit"] is None
        if self.resumed and not first and not self.rebooted:
            if command.record["process"] is not None:
                command.ended(None, False)
            if not command.plan_restart():
                self._gave_up(command)
            return None
        return self._start(command)

    def _start(self, command: Command) -> str | None:
        is_work = command is self.work
        values = placeholders(self.folder, self.state)
        groups = self.work_groups if is_work else self.side_groups
        cpus = self.state["cpus"] if is_work else self.spec["system_cpus"]
        argv, env = environment(self.folder, self.spec, command.spec, values, side=not is_work)
        trouble = command.start(groups, cpus, argv, env, self.boot)
        if trouble:
            return f"{command.name}: {trouble}"
        if is_work and self.health is not None:
            self.health.begin()
        return None

    # The loop

    def run(self) -> None:
        """Serve until nothing of the run is left, or this process is told to go."""
        self.poll.register(self.wake, select.POLLIN)
        self.poll.register(self.listener, select.POLLIN)
        for command in self.commands:
            for output in command.outputs:
                self.poll.register(output.descriptor, select.POLLIN)
        if self.ending is not None:
            self.finish(self.ending, self.state["message"])
        while not self._over():
            self._wait()
            self._reap()
            self._obey_time()

    def _over(self) -> bool:
        return self.ending is not None and all(command.pid is None for command in self.commands)

    def _wait(self) -> None:
        watched = self._watch_extra()
        ready = dict(self.poll.poll(self._timeout_ms()))
        for descriptor in watched:
            self.poll.unregister(descriptor)
        if self.wake in ready:
            os.read(self.wake, 4096)
        for command in self.commands:
            for output in command.outputs:
                if output.descriptor in ready:
                    output.drain()
        if self.health is not None:
            asked = self.health.watch()
            if self.health.turn(ready.get(asked[0], 0) if asked else 0):
                self.save()
        if self.listener.fileno() in ready:
            caller = control.accept(self.listener)
            if caller is not None:
                self.callers[caller.fileno()] = caller
        for descriptor in [number for number in self.callers if number in ready]:
            self.callers.pop(descriptor).serve(self.obey)

    def _watch_extra(self) -> list[int]:
        """Descriptors that change from turn to turn: the health question, callers, processes that are no children."""
        watched = [(number, select.POLLIN) for number in self.callers]
        watched += [(c.taken_over, select.POLLIN) for c in self.commands if c.taken_over is not None]
        asked = None if self.health is None else self.health.watch()
        if asked is not None:
            watched.append(asked)
        for descriptor, events in watched:
            self.poll.register(descriptor, events)
        return [descriptor for descriptor, _ in watched]

    def _timeout_ms(self) -> int:
        now_ns = time.monotonic_ns()
        waits = [WAKE_MS_MAX]
        instants = [at for command in self.commands for at in (command.due_ns, command.kill_at_ns)]
        instants.append(None if self.health is None else self.health.wake_ns)
        waits += [-((now_ns - at) // 1_000_000) for at in instants if at is not None]
        left_ms = self.term.left_ms(wall_ms(), boottime_ms())
        if left_ms is not None and self.ending is None:
            waits.append(left_ms)
        return max(0, min(waits))

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            for command in self.commands:
                if command.pid == pid and command.taken_over is None:
                    self._ended(command, status)
        for command in self.commands:
            if command.taken_over is not None and not procfs.is_alive(command.record["process"], self.boot):
                self._ended(command, None)

    def _ended(self, command: Command, status: int | None) -> None:
        kills = self.work_groups.out_of_memory_kills() if command is self.work else 0
        out_of_memory, self._oom_seen = kills > self._oom_seen, max(kills, self._oom_seen)
        command.ended(status, out_of_memory and command is self.work)
        for output in command.outputs:
            output.drain()
            output.flush()
        if command is self.work:
            self._kill_tree(self.work_groups)  # what the command left behind would run beside its successor
            if self.health is not None:
                self.health.cease()
        if self.ending is None:
            if not command.plan_restart():
                self._gave_up(command)
            elif command is self.work:
                self.state["phase"] = "BackingOff"
        elif command is self.work:
            self._stop_sidecars()
        self.save()

    def _gave_up(self, command: Command) -> None:
        """The policy starts it no more. Without its work the run is over; without a sidecar it goes on and says so."""
        if command is not self.work:
            return
        last = command.record["last_exit"]
        if command.record["given_up"]:
            self.finish("RestartsExhausted", f"ended {command.record['restarts'] + 1} times")
        elif last is not None and last["code"] == 0:
            self.finish("Completed", "the command ended by itself")
        else:
            self.finish("Failed", "the command failed and its policy does not restart it")

    def _obey_time(self) -> None:
        now_ns = time.monotonic_ns()
        now_wall_ms, now_boottime_ms = wall_ms(), boottime_ms()
        self.state["clock_step_ms"] = self.term.step_ms(now_wall_ms, now_boottime_ms)
        left_ms = self.term.left_ms(now_wall_ms, now_boottime_ms)
        if self.ending is None and left_ms is not None and left_ms <= 0:
            self.finish("TermOver", "its end came")
        for command in self.commands:
            if command.kill_at_ns is not None and now_ns >= command.kill_at_ns:
                command.kill_at_ns = now_ns + KILL_AGAIN_NS
                (self.work_groups if command is self.work else self.side_groups).kill()
            if command.due_ns is not None and now_ns >= command.due_ns:
                if self.ending is not None:
                    command.due_ns = None
                    continue
                self._restart(command)

    def _restart(self, command: Command) -> None:
        trouble = self._start(command)
        if trouble:
            self.state["message"] = trouble
            command.ended(127 << 8, False)
            if not command.plan_restart():
                self._gave_up(command)
        elif command is self.work:
            self.state["phase"] = "Running"
        self.save()

    # Ending

    def finish(self, reason: str, message: str, grace_ms: int | None = None) -> None:
        """Begin the end: the work first, so that its sidecars see its last answers."""
        if self.ending is None:
            self.ending = reason
            self.save(phase="Stopping", reason=reason, message=message)
        self._end_command(self.work, self.spec["stop_grace_ms"] if grace_ms is None else grace_ms)
        if self.work.pid is None:
            self._stop_sidecars()

    def _stop_sidecars(self) -> None:
        for command in self.commands[1:]:
            self._end_command(command, SIDECAR_GRACE_MS)

    @staticmethod
    def _end_command(command: Command, grace_ms: int) -> None:
        command.due_ns = None
        if command.pid is None:
            return
        command.signal_group(signal.SIGTERM)
        deadline_ns = time.monotonic_ns() + grace_ms * 1_000_000
        command.kill_at_ns = min(deadline_ns, command.kill_at_ns or deadline_ns)

    def _kill_tree(self, groups: confine.Groups, patience_s: float = 10.0) -> bool:
        deadline = time.monotonic() + patience_s
        while groups.members():
            groups.kill()
            self._reap_strays()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def _reap_strays(self) -> None:
        """Collect dead orphans that came to us as their subreaper; our own commands are left for `_reap`."""
        own = {command.pid for command in self.commands}
        for pid in procfs.pids():
            fields = procfs.stat_fields(pid)
            if fields is not None and fields[0] == "Z" and int(fields[1]) == os.getpid() and pid not in own:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    continue

    def close(self, trouble: str | None = None) -> None:
        """Remove everything that is left and record the end. If told to go by a signal, the run is not over: the next
        supervisor brings it back."""
        work_gone = self._kill_tree(self.work_groups) and self.work_groups.remove()
        side_gone = self._kill_tree(self.side_groups) and self.side_groups.remove()
        for command in self.commands:
            for output in command.outputs:
                output.drain()
                output.flush()
        if not (work_gone and side_gone):
            left = [*self.work_groups.members(), *self.side_groups.members()]
            self.state["message"] = f"processes {left} or groups could not be removed"
        if trouble is not None:
            self.save(phase="Ended", reason="StartFailed", message=trouble, ended_ms=wall_ms())
        elif self.interrupted and self.ending == "SupervisorDied":
            self.save(phase="Starting", reason=None)
        else:
            self.save(phase="Ended", reason=self.ending, ended_ms=wall_ms())
        os.unlink(self.folder.control)

    # Control

    def obey(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request of the control socket. The effect is durable, and real, before the answer."""
        operation = request.get("op")
        if operation == "ping":
            return {"ok": True}
        if operation == "stop":
            self.finish("Stopped", "it was stopped", request.get("grace_ms"))
            return {"ok": True}
        if self.ending is not None:
            return {"ok": False, "code": "RunConflict", "message": "the run is ending"}
        if operation == "restart":
            return self._restart_now(request.get("grace_ms"))
        if operation == "end":
            self.term.end_ms = request["end_ms"]
            self.save(end_ms=request["end_ms"])
            return {"ok": True}
        if operation in ("move", "limits"):
            return self._reallocate({name: value for name, value in request.items() if name != "op"})
        return {"ok": False, "code": "EngineFailure", "message": f"no operation {operation!r}"}

    def _restart_now(self, grace_ms: int | None) -> dict[str, Any]:
        self.work.streak = 0
        if self.work.pid is None:
            self.work.due_ns = time.monotonic_ns()
        else:
            self.work.restart_at_once = True
            self._end_command(self.work, self.spec["stop_grace_ms"] if grace_ms is None else grace_ms)
        return {"ok": True}

    def _reallocate(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Change what the run may use: recorded first, so that a crash between leaves what the next one applies."""
        before = {name: self.state[name] for name in changes}
        self.save(**changes)
        try:
            self.work_groups.apply(allocation_of(self.state, self.spec))
            if self.state["cpus"]:
                procfs.pin_threads(self.work_groups.members(), self.state["cpus"])
        except OSError as error:
            self.save(**before)
            return {"ok": False, "code": "AbilityMissing", "message": f"the kernel refused: {error.strerror}"}
        return {"ok": True}


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


def main(arguments: list[str]) -> int:
    """Supervise the run of a folder. Exits at once, and quietly, where another supervisor has it or it is over."""
    folder = RunFolder(arguments[0])
    ready = int(arguments[1]) if len(arguments) > 1 else None
    if ready is not None:
        os.set_inheritable(ready, False)
    _detach()
    lock = _lock(folder)
    spec = read_json(folder.spec)
    state = read_json(folder.state)
    if lock is None or spec is None or (state is not None and state["phase"] == "Ended"):
        return 0
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        supervisor = Supervisor(folder, spec)
    except OSError as error:
        print(f"cannot supervise: {error}", file=sys.stderr, flush=True)
        return errno.EIO

    def leave(*_: object) -> None:
        supervisor.interrupted = True
        supervisor.finish("SupervisorDied", "its supervisor was told to go; it comes back with the next one")

    signal.signal(signal.SIGTERM, leave)
    trouble = supervisor.begin()
    if trouble is None:
        if ready is not None:
            os.close(ready)
        supervisor.run()
    supervisor.close(trouble)  # and with this process the ready descriptor of a failed start: its starter reads on
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
