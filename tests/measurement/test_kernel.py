"""Facts of a process tree, from a recorded /proc and from the real one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.measurement import KernelFacts, causes, read_facts
from tenure.measurement.intruders import ran
from tenure.measurement.kernel import ThreadFacts, parse_cpu_list, tree_of
from tenure.measurement.procfs import read_processes


def stat(parent: int, *, utime: int = 0, stime: int = 0, faults: int = 0, rss: int = 0) -> str:
    fields = ["S", str(parent), "1", "1", "0", "-1", "0", "5", "0", str(faults), "0", str(utime), str(stime)]
    fields += ["0", "0", "20", "0", "1", "0", "100", "1000", str(rss), "0", *["0"] * 13, "1"]
    return f"1 (a (strange) name) {' '.join(fields)}"


def process(root: Path, pid: int, text: str, *, allowed: str = "1", waited: int = 0) -> None:
    task = root / "proc" / str(pid) / "task" / str(pid)
    task.mkdir(parents=True)
    (root / "proc" / str(pid) / "stat").write_text(text)
    (root / "proc" / str(pid) / "cgroup").write_text("4:cpu,cpuacct:/tenure/run\n0::/\n")
    (task / "status").write_text(f"Name:\tworker\nCpus_allowed_list:\t{allowed}\n")
    (task / "schedstat").write_text(f"1000 {waited} 5\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    process(tmp_path, 10, stat(1, utime=100, stime=50, faults=2, rss=10), waited=3_000_000)
    process(tmp_path, 11, stat(10, utime=10, rss=5), waited=2_000_000)
    process(tmp_path, 12, stat(11), allowed="0-1")
    process(tmp_path, 20, stat(1, utime=999))
    (tmp_path / "proc" / "stat").write_text("cpu  1 2 3\ncpu0 0 0 0 0 0 0 0 7\ncpu1 0 0 0 0 0 0 0 30 0 0\n")
    cgroup = tmp_path / "sys/fs/cgroup/cpu,cpuacct/tenure/run"
    cgroup.mkdir(parents=True)
    (cgroup / "cpu.stat").write_text("nr_periods 5\nnr_throttled 2\nthrottled_time 40000000\n")
    return tmp_path


def test_both_readers_of_a_process_read_one_line(root: Path) -> None:
    """Field 39 is the CPU it last ran on; the name may hold anything; half a line is no process."""
    found = ran(read_processes(root))[20]
    assert (found.name, found.parent, found.cpu_ticks, found.start_ticks) == ("a (strange) name", 1, 999, 100)
    assert found.last_cpu == 1
    (root / "proc" / "20" / "stat").write_text(stat(1)[:60])
    there = read_processes(root)
    assert 20 not in ran(there)
    assert tree_of(20, there) == []


def test_the_tree_is_the_process_and_all_below_it(root: Path) -> None:
    there = read_processes(root)
    assert tree_of(10, there) == [10, 11, 12]
    assert tree_of(99, there) == []
    assert read_processes(root / "nowhere") == {}


def test_a_pass_that_was_made_is_not_made_again(root: Path) -> None:
    """A look at a contract reads every process of the machine once, for whoever wants to know."""
    there = read_processes(root)
    (root / "proc" / "11" / "stat").unlink()
    facts = read_facts(10, 0, root, processes=there)
    assert facts is not None
    assert facts.processes == (10, 11, 12)
    assert facts.cpu_ns == (150 + 10) * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def test_facts_are_summed_over_the_tree(root: Path) -> None:
    facts = read_facts(10, 0, root)
    assert facts is not None
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert facts.cpu_ns == 160 * tick
    assert facts.major_faults == 2
    assert facts.resident_bytes == 15 * os.sysconf("SC_PAGE_SIZE")
    assert facts.waited_ns == 5_000_000
    assert facts.throttled_ns == 40_000_000
    assert facts.stolen_ns == 37 * tick
    assert [t.thread for t in facts.stray([1])] == [12]


def test_what_cannot_be_read_is_unknown_and_not_zero(root: Path) -> None:
    (root / "proc" / "stat").unlink()
    (root / "sys/fs/cgroup/cpu,cpuacct/tenure/run/cpu.stat").unlink()
    for pid in (10, 11, 12):
        (root / "proc" / str(pid) / "task" / str(pid) / "schedstat").unlink()
    facts = read_facts(10, 0, root)
    assert facts is not None
    assert (facts.waited_ns, facts.throttled_ns, facts.stolen_ns) == (None, None, None)
    assert causes(facts, facts, [0, 1]) == []


def test_version_two_of_cgroups(root: Path) -> None:
    (root / "proc" / "10" / "cgroup").write_text("0::/tenure/run\n")
    folder = root / "sys/fs/cgroup/tenure/run"
    folder.mkdir(parents=True)
    (folder / "cpu.stat").write_text("usage_usec 5\nthrottled_usec 70\n")
    facts = read_facts(10, 0, root)
    assert facts is not None
    assert facts.throttled_ns == 70_000


FACTS = KernelFacts(0, (10,), (ThreadFacts(10, 10, "w", (1,)),), 0, 0, 0, 0, 0, 0)


def test_the_largest_cause_comes_first() -> None:
    later = replace(FACTS, monotonic_ns=1_000_000_000, waited_ns=400_000_000, throttled_ns=100_000_000, stolen_ns=5)
    assert [(c.code, round(c.share, 2)) for c in causes(FACTS, later, [1])] == [
        ("WaitedForCpu", 0.4),
        ("Throttled", 0.1),
    ]


def test_time_that_the_hypervisor_takes_and_pages_that_come_from_disk_are_causes() -> None:
    stolen = replace(FACTS, monotonic_ns=1_000_000_000, stolen_ns=300_000_000)
    assert [(c.code, c.share) for c in causes(FACTS, stolen, [1])] == [("Stolen", 0.3)]
    short_of_memory = replace(FACTS, monotonic_ns=1_000_000_000, major_faults=5_000)
    assert [(c.code, c.detail) for c in causes(FACTS, short_of_memory, [1])] == [
        ("MajorFaults", "5000 pages came from disk")
    ]


def test_a_stray_thread_and_another_process_are_causes() -> None:
    stray = replace(FACTS, threads=(ThreadFacts(10, 10, "w", (0, 1)),))
    assert [c.code for c in causes(FACTS, stray, [1])] == ["Stray"]
    assert [c.code for c in causes(FACTS, replace(FACTS, processes=(77,)), [1])] == ["Restarted"]


def test_cpu_lists() -> None:
    assert parse_cpu_list("0-2,5\n") == (0, 1, 2, 5)
    assert parse_cpu_list("") == ()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system has no /proc")
class TestReal:
    def test_our_own_process(self) -> None:
        facts = read_facts(os.getpid(), time.monotonic_ns())
        assert facts is not None
        assert facts.cpu_ns > 0
        assert facts.resident_bytes > 1 << 20
        assert all(thread.allowed for thread in facts.threads)

    def test_neighbours_keep_a_cpu_busy_and_go_with_their_parent(self) -> None:
        """The starter is killed outright; nothing of what it started stays."""
        cpu = min(os.sched_getaffinity(0))
        code = (
            "import time; from tenure.measurement import start_neighbours;"
            f"print(start_neighbours([{cpu}], 'cpu', 60).pid, flush=True); time.sleep(60)"
        )
        starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        deadline = time.monotonic() + 8
        while (facts := read_facts(pid, 0)) is None or facts.cpu_ns < 300_000_000 or len(facts.processes) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert {thread.allowed for thread in facts.threads if thread.process != pid} == {(cpu,)}
        # Linux may share CPUs out by sessions: a stranger's work has one of its own, and so has each neighbour.
        assert all(os.getsid(process) == process for process in facts.processes if process != pid)
        processes = facts.processes
        starter.kill()
        starter.wait()
        while any(Path(f"/proc/{process}/stat").exists() for process in processes):
            assert time.monotonic() < deadline
            time.sleep(0.02)
