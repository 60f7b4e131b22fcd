"""The life of one supervised run, from its first instruction to nothing left. Supervisors import it."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from tenure.engines.local import confine, procfs
from tenure.engines.local.command import Command
from tenure.engines.local.events import Events
from tenure.engines.local.folder import RunFolder, read_json
from tenure.engines.local.health import Health
from tenure.engines.local.killing import collect, kill_strangers, kill_tree
from tenure.engines.local.record import (
    allocation_of,
    environment,
    first_state,
    note_past,
    place_files,
    placeholders,
)
from tenure.engines.local.recorded import RECORD_AGAIN_NS, Recorded
from tenure.engines.local.term import Term, boottime_ms, wall_ms

ITS_END_CAME = "its end came"
SIDECAR_GRACE_MS = 2_000
KILL_AGAIN_NS = 200_000_000
WAKE_MS_MAX = 30_000  # also how late a jump of the wall clock is noticed


class Life(Recorded):
    """One run from its first instruction to nothing left."""

    def __init__(
        self, folder: RunFolder, spec: dict[str, Any], obey: Callable[[Life, dict[str, Any]], dict[str, Any]]
    ) -> None:
        self._obey = obey
        self.spec = spec
        boot = procfs.boot_id()
        known = read_json(folder.state)
        super().__init__(folder, known, first_state(spec, boot) if known is None else known, boot)
        self.resumed = known is not None
        self.rebooted = known is not None and known["boot_id"] != self.boot
        note_past(self.state, spec, self.boot, resumed=self.resumed)
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
        self.events = Events(folder, [output for command in self.commands for output in command.outputs])
        stopping = self.state["phase"] == "Stopping" and self.state["reason"] != "SupervisorDied"
        self.ending: str | None = self.state["reason"] if stopping else None
        self.interrupted = False
        self._oom_seen = 0

    # Starting

    def begin(self) -> str | None:
        """Confine, take over what runs, start what does not. Returns why the run could not be started.

        A start that cannot be recorded does not happen (OSError). What runs already is taken over all the same: it has
        an end to keep.
        """
        if self.spec["system_cpus"]:
            os.sched_setaffinity(0, self.spec["system_cpus"])
        if self.ending is None and self._time_is_over():  # while nobody was there
            self.ending = "TermOver"
            self.state.update(reason=self.ending, message=ITS_END_CAME)
        taking_over = self.resumed and not self.rebooted
        record = self.note if taking_over else self.save
        record(phase="Stopping" if self.ending else "Starting")
        try:
            place_files(self.folder, self.spec, self.state)
        except OSError as error:
            if not taking_over:
                return f"cannot place the run's files: {error.strerror}"
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
        self.note()
        self.give_back_what_it_left()
        running = [command for command in self.commands if command.take_over(self.boot)]
        if self.work not in running:
            self._kill_tree(self.work_groups)
        known = {command.pid for command in self.commands[1:] if command.pid is not None}
        if not known:
            self._kill_tree(self.side_groups)
        elif len(known) < len(self.commands) - 1:  # who is missing may run all the same, and not be on record
            kill_strangers(self.side_groups, known, {command.pid for command in self.commands})
        for command in reversed(self.commands):  # sidecars first: the work may be asked the moment it is up
            trouble = None if command in running else self._start_where_wanted(command)
            if trouble:
                return trouble
        if not self.ending:
            self.note(phase="Running" if self.work.pid is not None else "BackingOff")
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

    def save(self, **changes: Any) -> None:
        """See Recorded.save; and who runs, where that could not be written when it was started again: that is owed
        until it stands, whichever other record succeeds meanwhile."""
        super().save(**changes)
        if not all(command.record_identity() for command in self.commands):
            self.owed_ns = time.monotonic_ns() + RECORD_AGAIN_NS

    def _start(self, command: Command, *, recorded: bool = True) -> str | None:
        is_work = command is self.work
        values = placeholders(self.folder, self.state)
        groups = self.work_groups if is_work else self.side_groups
        cpus = self.state["cpus"] if is_work else self.spec["system_cpus"]
        argv, env = environment(self.folder, self.spec, command.spec, values, side=not is_work)
        trouble = command.start(groups, cpus, argv, env, self.boot, recorded=recorded)
        if trouble:
            return f"{command.name}: {trouble}"
        if is_work and self.health is not None:
            self.health.begin()
        return None

    # The loop

    def run(self) -> None:
        """Serve until nothing of the run is left, or this process is told to go."""
        if self.ending is not None:
            self.finish(self.ending, self.state["message"])
        while not self._over():
            self._wait()
            self._reap()
            self._obey_time()

    def _over(self) -> bool:
        return self.ending is not None and all(command.pid is None for command in self.commands)

    def _wait(self) -> None:
        for output in self.events.wait(self._timeout_ms(), self._watched(), lambda request: self._obey(self, request)):
            output.drain()
        if self.health is not None and self.health.turn(self.events.happened(self._health_asked())):
            self.note()

    def _health_asked(self) -> int | None:
        asked = None if self.health is None else self.health.watch()
        return None if asked is None else asked[0]

    def _watched(self) -> list[tuple[int, int]]:
        """Descriptors that change from turn to turn: the health question, and processes that are no children."""
        watched = [(c.taken_over, select.POLLIN) for c in self.commands if c.taken_over is not None]
        asked = None if self.health is None else self.health.watch()
        return watched if asked is None else [*watched, asked]

    def _timeout_ms(self) -> int:
        """How long nothing will have to be done by itself."""
        now_ns = time.monotonic_ns()
        waits = [WAKE_MS_MAX]
        instants = [at for command in self.commands for at in (command.due_ns, command.kill_at_ns)]
        instants += [self.owed_ns, None if self.health is None else self.health.wake_ns]
        waits += [-((now_ns - at) // 1_000_000) for at in instants if at is not None]
        left_ms = self.term.left_ms(wall_ms(), boottime_ms())
        if left_ms is not None and self.ending is None:
            waits.append(left_ms)
        return max(0, min(waits))

    def _reap(self) -> None:
        if self.interrupted and self.ending is None:  # before an end that the same signal brought is taken for its own
            self.finish("SupervisorDied", "its supervisor was told to go; it comes back with the next one")
        for command, status in collect(self.commands, self.boot):
            self._ended(command, status)

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
        self.note()

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

    def _time_is_over(self) -> bool:
        now_wall_ms, now_boottime_ms = wall_ms(), boottime_ms()
        self.state["clock_step_ms"] = self.term.step_ms(now_wall_ms, now_boottime_ms)
        left_ms = self.term.left_ms(now_wall_ms, now_boottime_ms)
        return left_ms is not None and left_ms <= 0

    def _obey_time(self) -> None:
        now_ns = time.monotonic_ns()
        if self._time_is_over() and self.ending is None:
            self.finish("TermOver", ITS_END_CAME)
        if self.owed_ns is not None and now_ns >= self.owed_ns:
            self.note()
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
        """A full disk does not decide that work stays down."""
        trouble = self._start(command, recorded=False)
        if trouble:
            self.state["message"] = trouble
            command.ended(127 << 8, False)
            if not command.plan_restart():
                self._gave_up(command)
        elif command is self.work:
            self.state["phase"] = "Running"
        self.note()

    # Ending

    def finish(self, reason: str, message: str, grace_ms: int | None = None) -> None:
        """Begin the end: the work first, so that its sidecars see its last answers.

        It comes whether or not it can be recorded now. Who asks for an end records it before (`obey`).
        """
        if self.ending is None:
            self.ending = reason
            self.note(phase="Stopping", reason=reason, message=message)
        self.end_command(self.work, self.spec["stop_grace_ms"] if grace_ms is None else grace_ms)
        if self.work.pid is None:
            self._stop_sidecars()

    def _stop_sidecars(self) -> None:
        for command in self.commands[1:]:
            self.end_command(command, SIDECAR_GRACE_MS)

    @staticmethod
    def end_command(command: Command, grace_ms: int) -> None:
        command.due_ns = None
        if command.pid is None:
            return
        command.signal_group(signal.SIGTERM)
        deadline_ns = time.monotonic_ns() + grace_ms * 1_000_000
        command.kill_at_ns = min(deadline_ns, command.kill_at_ns or deadline_ns)

    def _kill_tree(self, groups: confine.Groups) -> bool:
        return kill_tree(groups, {command.pid for command in self.commands})

    def all_gone(self) -> bool:
        """Kill and remove whatever is left. False where something withstands."""
        return all(self._kill_tree(groups) and groups.remove() for groups in (self.work_groups, self.side_groups))
