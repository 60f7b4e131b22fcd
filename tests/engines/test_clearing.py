"""Others are kept away from a run's CPUs while it runs, and only then: what was taken is given back whoever dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from tests.engines.builders import a_run
from tests.engines.waiting import eventually

from tenure.engines import LocalEngine, RunState
from tenure.engines.local import clearing, procfs

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="clearing one CPU needs a second one")
EVERYWHERE = frozenset(os.sched_getaffinity(0))
CONTRACTED = max(EVERYWHERE)
ELSEWHERE = frozenset(EVERYWHERE - {CONTRACTED})
PARENT = "import subprocess, sys\nfor _ in sys.stdin: print(subprocess.Popen(['sleep', '100']).pid, flush=True)"


class Bystander:
    """A process that has no claim to any core, and starts a child when told to."""

    def __init__(self, *, leads_a_session: bool = False) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", PARENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=leads_a_session,
        )
        self.pid = self.process.pid
        self.children: list[int] = []

    def child(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(file=self.process.stdin, flush=True)
        self.children.append(int(self.process.stdout.readline()))
        return self.children[-1]

    def named(self) -> tuple[int, int]:
        ticks = procfs.start_ticks(self.pid)
        assert ticks is not None
        return self.pid, ticks

    def exit(self) -> None:
        """It ends by itself; its children go on as daemons."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def end(self) -> None:
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def other() -> Iterator[Bystander]:
    made = Bystander()
    yield made
    made.end()


@pytest.fixture
def leader() -> Iterator[Bystander]:
    made = Bystander(leads_a_session=True)
    yield made
    made.end()


def cleared(engine: LocalEngine, other: Bystander) -> RunState:
    run = engine.start(a_run(cpus=(CONTRACTED,)))
    assert engine.clear_cpus(run.run_id, [other.named()], sorted(ELSEWHERE)) == (other.pid,)
    assert os.sched_getaffinity(other.pid) == ELSEWHERE
    return run


def killed_with_its_work(engine: LocalEngine, run: RunState) -> None:
    """Supervisor and work die together, and nobody is left who would give anything back but the engine itself."""
    state = engine.state(run.run_id)
    assert state.supervisor is not None
    os.kill(state.supervisor.pid, signal.SIGKILL)
    for process in state.processes:
        os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: not any(alive(process.pid) for process in state.processes), "the work is gone")
    engine.stop(run.run_id)


def killed_supervisor(engine: LocalEngine, run: RunState) -> None:
    state = engine.state(run.run_id)
    assert state.supervisor is not None
    os.kill(state.supervisor.pid, signal.SIGKILL)
    eventually(lambda: engine.state(run.run_id).phase == "Unsupervised", "its supervisor is gone")
    engine.adopt()
    engine.stop(run.run_id)


def stopped(engine: LocalEngine, run: RunState) -> None:
    engine.stop(run.run_id)


def alive(pid: int) -> bool:
    return procfs.start_ticks(pid) is not None


@pytest.mark.parametrize("end", [stopped, killed_supervisor, killed_with_its_work])
def test_at_the_end_everybody_gets_back_what_was_taken(
    engine: LocalEngine, other: Bystander, end: Callable[[LocalEngine, RunState], None]
) -> None:
    run = cleared(engine, other)
    late = other.child()
    assert os.sched_getaffinity(late) == ELSEWHERE, "a child inherits the smaller set"
    end(engine, run)
    assert os.sched_getaffinity(other.pid) == EVERYWHERE
    assert os.sched_getaffinity(late) == EVERYWHERE


@pytest.mark.parametrize("end", [stopped, killed_supervisor, killed_with_its_work])
def test_daemons_get_it_back_though_the_leader_of_their_session_is_dead(
    engine: LocalEngine, leader: Bystander, end: Callable[[LocalEngine, RunState], None]
) -> None:
    run = cleared(engine, leader)
    daemons = [leader.child(), leader.child()]
    leader.exit()
    assert [os.sched_getaffinity(pid) for pid in daemons] == [ELSEWHERE] * 2, "they inherited the smaller set"
    end(engine, run)
    assert [os.sched_getaffinity(pid) for pid in daemons] == [EVERYWHERE] * 2


def test_twin_of_a_number_that_is_another_processs_by_now_nobody_is_touched(other: Bystander) -> None:
    late = other.child()
    for pid in (other.pid, late):
        os.sched_setaffinity(pid, ELSEWHERE)
    pid, ticks = other.named()
    threads = {str(pid): sorted(EVERYWHERE)}
    before_it = {"pid": pid, "start_ticks": ticks - 1, "boot_id": procfs.boot_id(), "taken": [CONTRACTED]}
    assert clearing.give_back([before_it | {"threads": threads}], procfs.boot_id()) == []
    assert clearing.give_back([before_it | {"threads": threads, "start_ticks": ticks}], "another boot") == []
    assert os.sched_getaffinity(pid) == os.sched_getaffinity(late) == ELSEWHERE


def test_twin_while_the_run_goes_on_nothing_is_given_back(engine: LocalEngine, other: Bystander) -> None:
    run = cleared(engine, other)
    supervisor = engine.state(run.run_id).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGTERM)
    eventually(lambda: not alive(supervisor.pid), "its supervisor has gone")
    engine.adopt()
    assert os.sched_getaffinity(other.pid) == ELSEWHERE


def test_a_run_that_moves_gives_back_the_cpus_it_leaves(engine: LocalEngine, other: Bystander) -> None:
    run = cleared(engine, other)
    engine.move_to(run.run_id, [CONTRACTED])
    assert os.sched_getaffinity(other.pid) == ELSEWHERE, "re-pinning leaves nothing"
    engine.move_to(run.run_id, [min(EVERYWHERE)])
    assert os.sched_getaffinity(other.pid) == EVERYWHERE


def test_who_was_held_to_the_contracted_cpu_alone_is_a_guest_elsewhere(engine: LocalEngine, other: Bystander) -> None:
    os.sched_setaffinity(other.pid, {CONTRACTED})
    run = cleared(engine, other)
    engine.stop(run.run_id)
    assert os.sched_getaffinity(other.pid) == {CONTRACTED}


def test_cleared_twice_it_gets_back_what_it_had_first(engine: LocalEngine, other: Bystander) -> None:
    run = cleared(engine, other)
    assert engine.clear_cpus(run.run_id, [other.named()], sorted(ELSEWHERE)) == (), "it is not there any more"
    engine.stop(run.run_id)
    assert os.sched_getaffinity(other.pid) == EVERYWHERE


@pytest.mark.skipif(len(EVERYWHERE) < 3, reason="two runs and a CPU for everybody else need three")
def test_of_two_runs_each_gives_back_its_own(engine: LocalEngine, other: Bystander) -> None:
    first, second, *rest = sorted(EVERYWHERE, reverse=True)
    runs = [engine.start(a_run(cpus=(cpu,))) for cpu in (first, second)]
    for run in runs:
        engine.clear_cpus(run.run_id, [other.named()], rest)
    assert os.sched_getaffinity(other.pid) == set(rest)
    engine.stop(runs[0].run_id)
    assert os.sched_getaffinity(other.pid) == {*rest, first}
    engine.stop(runs[1].run_id)
    assert os.sched_getaffinity(other.pid) == EVERYWHERE


def test_neither_a_stranger_with_a_used_pid_nor_the_first_process_is_touched(
    engine: LocalEngine, other: Bystander
) -> None:
    run = engine.start(a_run(cpus=(CONTRACTED,)))
    pid, ticks = other.named()
    init_ticks = procfs.start_ticks(1)
    assert init_ticks is not None
    before = os.sched_getaffinity(1)
    assert engine.clear_cpus(run.run_id, [(pid, ticks + 1), (1, init_ticks)], sorted(ELSEWHERE)) == ()
    assert os.sched_getaffinity(pid) == EVERYWHERE
    assert os.sched_getaffinity(1) == before
