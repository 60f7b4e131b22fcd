"""The contract of `tenure.engines.base`, as tests that every engine passes.

An engine's own test module subclasses EngineContract and provides `engine` (a fixture with an empty engine) and
`again` (another instance over the same state, as a restarted server makes one).
"""

import time
from collections.abc import Callable

import pytest
from tests.engines.builders import FOREVER, a_run, last_cpu, python, shell
from tests.engines.contract_commands import CommandContract, Contract
from tests.engines.waiting import eventually

from tenure.engines import (
    EndReason,
    Engine,
    MovesEnds,
    MovesRuns,
    Phase,
    Restart,
    RestartsRuns,
    RunConflict,
    RunNotFound,
    SetsLimits,
    Sidecar,
    StartFailed,
)


class ConfinementContract(Contract):
    """What every way to confine must do: it begins, holds together and ends a whole tree of processes."""

    # Starting

    def test_a_started_run_runs_and_says_which_process_it_is(self, engine: Engine) -> None:
        spec = self.wanted(a_run())
        state = engine.start(spec)
        assert state.phase is Phase.RUNNING
        assert state.work.process is not None
        assert state.work.process in engine.state(spec.run_id).processes
        assert (state.namespace, state.name) == ("team-a", spec.name)

    def test_the_same_start_again_adopts_and_starts_nothing(self, engine: Engine, again: Callable[[], Engine]) -> None:
        spec = self.wanted(a_run())
        first = engine.start(spec)
        for other in (engine, again()):
            repeated = other.start(spec)
            assert repeated.work.process == first.work.process
            assert len(repeated.processes) == len(first.processes)

    def test_resuming_needs_no_spec_and_leaves_alone_what_runs_or_has_ended(self, engine: Engine) -> None:
        spec = self.wanted(a_run())
        first = engine.start(spec)
        resumed = engine.resume(spec.run_id)
        assert (resumed.work.process, resumed.processes) == (first.work.process, first.processes)
        engine.stop(spec.run_id)
        assert engine.resume(spec.run_id).phase is Phase.ENDED

    def test_a_program_that_is_not_there_fails_the_start_and_leaves_nothing(self, engine: Engine) -> None:
        spec = self.wanted(a_run(("no-such-program",)))
        with pytest.raises(StartFailed, match="no-such-program"):
            engine.start(spec)
        state = engine.state(spec.run_id)
        assert (state.phase, state.reason, state.processes) == (Phase.ENDED, EndReason.START_FAILED, ())

    def test_a_failed_start_takes_its_sidecars_with_it(self, engine: Engine) -> None:
        spec = self.wanted(a_run(("no-such-program",), sidecars=(Sidecar("aside", ("sleep", "1000")),)))
        with pytest.raises(StartFailed):
            engine.start(spec)
        assert engine.state(spec.run_id).processes == ()
        assert list(engine.adopt()) == []

    # Ends

    def test_stop_returns_when_the_whole_tree_is_gone(self, engine: Engine) -> None:
        spec = self.wanted(shell("sleep 1000 & setsid sleep 1000 & echo up; wait"))
        engine.start(spec)
        eventually(lambda: len(engine.state(spec.run_id).processes) >= 3, "the tree has grown")
        state = engine.stop(spec.run_id)
        assert (state.phase, state.reason, state.processes) == (Phase.ENDED, EndReason.STOPPED, ())
        assert engine.stop(spec.run_id) == state
        assert engine.start(spec).phase is Phase.ENDED

    def test_what_ignores_the_request_to_end_is_killed_after_the_grace(self, engine: Engine) -> None:
        spec = self.wanted(shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done"))
        engine.start(spec)
        eventually(lambda: self.text(engine, spec.run_id) == ["deaf"], "it ignores the signal")
        begun = time.monotonic()
        state = engine.stop(spec.run_id, grace_ms=200)
        assert 0.2 <= time.monotonic() - begun < 5
        assert state.work.last_exit is not None
        assert state.work.last_exit.signal == 9

    def test_a_run_ends_by_itself_at_its_own_end(self, engine: Engine) -> None:
        end_ms = time.time_ns() // 1_000_000 + 400
        spec = self.wanted(a_run(end_ms=end_ms))
        engine.start(spec)
        state = self.final(engine, spec.run_id)
        assert (state.reason, state.processes) == (EndReason.TERM_OVER, ())
        assert state.ended_ms is not None
        assert 0 <= state.ended_ms - end_ms < 2_000

    # What runs

    def test_runs_lists_what_really_runs_also_for_a_successor(
        self, engine: Engine, again: Callable[[], Engine]
    ) -> None:
        specs = [self.wanted(a_run()) for _ in range(2)]
        for spec in specs:
            engine.start(spec)
        engine.stop(specs[0].run_id)
        phases = {run.run_id: run.phase for run in again().runs()}
        assert phases == {specs[0].run_id: Phase.ENDED, specs[1].run_id: Phase.RUNNING}

    def test_only_a_final_run_is_forgotten(self, engine: Engine) -> None:
        spec = self.wanted(a_run())
        engine.start(spec)
        with pytest.raises(RunConflict):
            engine.forget(spec.run_id)
        engine.stop(spec.run_id)
        engine.forget(spec.run_id)
        assert list(engine.runs()) == []
        with pytest.raises(RunNotFound):
            engine.state(spec.run_id)

    def test_adopt_leaves_healthy_runs_alone(self, engine: Engine) -> None:
        spec = self.wanted(a_run())
        before = engine.start(spec)
        assert list(engine.adopt()) == []
        assert engine.state(spec.run_id).work.process == before.work.process

    def test_observe_says_what_can_be_enforced_and_why_not(self, engine: Engine) -> None:
        seen = engine.observe()
        assert seen.reachable
        assert seen.runs == 0
        assert {"pinning", "memory-limit", "cpu-quota", "power-cap", "network-rate"} <= {
            ability.name for ability in seen.abilities
        }
        assert all(ability.why for ability in seen.abilities if not ability.granted)

    # Sidecars

    def test_sidecars_live_and_end_with_the_work_and_restart_by_themselves(self, engine: Engine) -> None:
        tap = Sidecar("tap", ("sh", "-c", "echo $TENURE_RUN_COMMAND; exit 1"), restart=Restart(backoff_ms=1))
        steady = Sidecar("steady", ("sleep", "1000"))
        spec = self.wanted(a_run(sidecars=(tap, steady)))
        engine.start(spec)
        eventually(lambda: engine.state(spec.run_id).sidecars[0].restarts >= 2, "the sidecar was restarted")
        assert engine.state(spec.run_id).phase is Phase.RUNNING
        assert self.text(engine, spec.run_id, command="tap")[:2] == ["tap", "tap"]
        assert engine.stop(spec.run_id).processes == ()

    # Optional abilities

    def test_read_back_reads_every_thread_from_the_kernel(self, engine: Engine) -> None:
        cpu = last_cpu()
        script = "import threading,time\nfor _ in range(3): threading.Thread(target=time.sleep,args=(1000,)).start()"
        spec = self.wanted(python(script, cpus=(cpu,)))
        engine.start(spec)
        eventually(lambda: len(engine.read_back(spec.run_id).threads) == 4, "all threads are up")
        back = engine.read_back(spec.run_id)
        assert back.cpus_allowed == {cpu}
        assert all(thread.cpus_allowed.source.endswith("/status") for thread in back.threads)
        assert isinstance(back.resident_bytes.value, int)
        assert back.resident_bytes.value > 0

    def test_a_moved_run_is_moved_with_all_its_threads_and_keeps_running(self, engine: Engine) -> None:
        if not isinstance(engine, MovesRuns):
            pytest.skip("this engine moves no runs")
        spec = self.wanted(a_run(cpus=(last_cpu(),)))
        before = engine.start(spec)
        state = engine.move_to(spec.run_id, [0])
        assert engine.read_back(spec.run_id).cpus_allowed == {0}
        assert state.cpus == (0,)
        assert state.work.process == before.work.process

    def test_a_restart_replaces_the_process_and_keeps_the_place(self, engine: Engine) -> None:
        if not isinstance(engine, RestartsRuns):
            pytest.skip("this engine restarts no runs")
        spec = self.wanted(a_run(cpus=(last_cpu(),), ports={"http": 0}))
        before = engine.start(spec)
        engine.restart(spec.run_id)
        eventually(
            lambda: engine.state(spec.run_id).work.process not in (None, before.work.process), "there is a new process"
        )
        after = engine.state(spec.run_id)
        assert after.ports == before.ports
        assert engine.read_back(spec.run_id).cpus_allowed == {last_cpu()}

    def test_an_end_can_be_moved_both_ways(self, engine: Engine) -> None:
        if not isinstance(engine, MovesEnds):
            pytest.skip("this engine moves no ends")
        spec = self.wanted(a_run(end_ms=time.time_ns() // 1_000_000 + 3_600_000))
        engine.start(spec)
        assert engine.set_end(spec.run_id, None).end_ms is None
        engine.set_end(spec.run_id, time.time_ns() // 1_000_000 + 100)
        assert self.final(engine, spec.run_id).reason is EndReason.TERM_OVER

    def test_limits_can_be_set_while_it_runs_or_are_said_to_be_missing(self, engine: Engine) -> None:
        if not isinstance(engine, SetsLimits):
            pytest.skip("this engine sets no limits")
        spec = self.wanted(a_run(FOREVER, memory_bytes=64 << 20))
        engine.start(spec)
        if any(ability.name == "memory-limit" and not ability.granted for ability in engine.observe().abilities):
            return
        if "affinity" in (self.spec_changes.get("enforcement"), engine.observe().mechanism):
            return
        engine.set_limits(spec.run_id, memory_bytes=128 << 20, cpu_quota_milli=500)
        back = engine.read_back(spec.run_id)
        assert (back.memory_limit_bytes.value, back.quota_milli.value) == (128 << 20, 500)
        engine.set_limits(spec.run_id, memory_bytes=32 << 20)
        back = engine.read_back(spec.run_id)
        assert (back.memory_limit_bytes.value, back.quota_milli.value) == (32 << 20, "unlimited")


class EngineContract(ConfinementContract, CommandContract):
    """What every engine must do."""
