"""Control groups of version 1 hold what was asked, read back from the kernel; nothing runs outside for an instant."""

import time

import pytest
from tests.engines.builders import a_run, last_cpu, python, shell
from tests.engines.contract_commands import NEVER
from tests.engines.waiting import eventually

from tenure.engines import LocalEngine, Restart, RestartPolicy, Sidecar
from tenure.engines.local import confine

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(confine.granted()[0] != "cgroup-v1", reason="this system grants no cgroup v1"),
]


def test_limits_are_in_the_kernel_with_their_sources(engine: LocalEngine) -> None:
    spec = a_run(cpus=(last_cpu(),), memory_bytes=48 << 20, cpu_quota_milli=250, processes_max=64, memory_nodes=(0,))
    state = engine.start(spec)
    back = engine.read_back(spec.run_id)
    assert back.mechanism == "cgroup-v1"
    assert back.group_cpus.value == (last_cpu(),)
    assert back.group_memory_nodes.value == (0,)
    assert back.memory_limit_bytes.value == 48 << 20
    assert back.quota_milli.value == 250
    assert back.memory_limit_bytes.source.endswith(f"{spec.run_id}.work/memory.limit_in_bytes")
    assert state.confinement is not None
    assert state.confinement.not_enforced == ()
    assert all(
        any(f"{spec.run_id}.work" in str(reading.value) for reading in memberships)
        for memberships in back.membership.values()
    )


def test_the_first_instruction_runs_inside(engine: LocalEngine) -> None:
    spec = shell("cat /proc/self/cgroup; grep Cpus_allowed_list /proc/self/status", cpus=(last_cpu(),), restart=NEVER)
    engine.start(spec)
    eventually(lambda: engine.state(spec.run_id).final, "it has ended")
    lines = [line.text for line in engine.logs(spec.run_id)]
    for controller in ("cpuset", "memory", "pids", "freezer", "cpu"):
        assert any(f":{controller}:/{engine.group}/{spec.run_id}.work" in line for line in lines)
    assert lines[-1].split() == ["Cpus_allowed_list:", str(last_cpu())]


def test_more_memory_than_the_limit_is_killed_and_said_to_be_that(engine: LocalEngine) -> None:
    spec = python("b = bytearray(200 << 20); print(len(b))", memory_bytes=64 << 20, restart=NEVER)
    engine.start(spec)
    eventually(lambda: engine.state(spec.run_id).final, "it was killed")
    last = engine.state(spec.run_id).work.last_exit
    assert last is not None
    assert (last.signal, last.out_of_memory) == (9, True)


def test_a_quota_throttles_and_lifting_it_does_not(engine: LocalEngine) -> None:
    spec = python("while True: pass", cpus=(last_cpu(),), cpu_quota_milli=200)
    engine.start(spec)
    assert _share_of_a_core(engine, spec.run_id) < 0.26
    assert _throttled(engine, spec.run_id) > 0
    engine.set_limits(spec.run_id)
    assert engine.read_back(spec.run_id).quota_milli.value == "unlimited"
    throttled = _throttled(engine, spec.run_id)
    _share_of_a_core(engine, spec.run_id)
    assert _throttled(engine, spec.run_id) == throttled


def _throttled(engine: LocalEngine, run_id: str) -> int:
    value = engine.read_back(run_id).facts["throttled_periods"].value
    assert isinstance(value, int)
    return value


def _share_of_a_core(engine: LocalEngine, run_id: str) -> float:
    def nanoseconds() -> int:
        value = engine.read_back(run_id).facts["cpu_ns"].value
        assert isinstance(value, int)
        return value

    begun, before = time.monotonic_ns(), nanoseconds()  # the time that is looked at lies in what is measured
    eventually(lambda: time.monotonic_ns() - begun > 1_000_000_000, "a second has passed")
    return (nanoseconds() - before) / (time.monotonic_ns() - begun)


def test_sidecars_run_on_the_systems_cpus_outside_the_works_memory(engine: LocalEngine) -> None:
    aside = Sidecar("aside", ("sh", "-c", "cat /proc/self/cgroup; sleep 1000"))
    spec = a_run(cpus=(last_cpu(),), system_cpus=(0,), memory_bytes=32 << 20, sidecars=(aside,))
    engine.start(spec)
    process = engine.state(spec.run_id).sidecars[0].process
    assert process is not None
    with open(f"/proc/{process.pid}/status") as file:
        allowed = next(line.split()[1] for line in file if line.startswith("Cpus_allowed_list"))
    assert allowed == "0"
    assert process.pid not in engine.read_back(spec.run_id).membership


def test_a_fork_bomb_is_bounded_and_gone_after_stop(engine: LocalEngine) -> None:
    spec = shell("bomb() { bomb | bomb & }; bomb; sleep 1000", processes_max=40, cpus=(last_cpu(),))
    engine.start(spec)
    eventually(lambda: len(engine.read_back(spec.run_id).membership) >= 2, "it has forked")
    assert len(engine.read_back(spec.run_id).membership) <= 40
    assert engine.stop(spec.run_id, grace_ms=100).processes == ()


def test_a_restart_comes_back_into_the_same_groups(engine: LocalEngine) -> None:
    spec = a_run(cpus=(last_cpu(),), memory_bytes=32 << 20, restart=Restart(policy=RestartPolicy.ALWAYS, backoff_ms=1))
    before = engine.start(spec).work.process
    engine.set_limits(spec.run_id, memory_bytes=40 << 20)
    engine.restart(spec.run_id)
    eventually(lambda: engine.state(spec.run_id).work.process not in (None, before), "it was restarted")
    assert engine.read_back(spec.run_id).memory_limit_bytes.value == 40 << 20


def test_threads_that_strayed_are_pinned_again(engine: LocalEngine) -> None:
    """Under affinity alone a process can widen its own mask; read-back sees it, a move to the same place repairs it."""
    script = (
        "import os,time\nos.sched_setaffinity(0,range(os.cpu_count()))\nprint('strayed',flush=True)\ntime.sleep(1000)"
    )
    spec = python(script, cpus=(last_cpu(),), enforcement="affinity")
    engine.start(spec)
    eventually(lambda: bool(list(engine.logs(spec.run_id))), "it has strayed")
    assert len(engine.read_back(spec.run_id).cpus_allowed) > 1
    engine.move_to(spec.run_id, [last_cpu()])
    assert engine.read_back(spec.run_id).cpus_allowed == {last_cpu()}
