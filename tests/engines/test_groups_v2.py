"""Control groups of version 2, on a drawn tree of files (this checks what is written where; a real kernel of that sort
is checked by the same contract suite wherever one is at hand)."""

import os
from pathlib import Path

import pytest

from tenure.engines.local import groups_v2
from tenure.engines.local.groups_v2 import GroupsV2
from tenure.engines.local.readback import group_v2

ALLOCATION = {
    "cpus": [3, 1],
    "memory_nodes": [0],
    "memory_bytes": 1 << 30,
    "cpu_quota_milli": 500,
    "processes_max": 99,
}
FILES = ("cpuset.cpus", "cpuset.mems", "cpu.max", "memory.max", "memory.swap.max", "pids.max", "cgroup.procs")


def a_group(path: Path, *, controllers: str = "cpuset cpu memory pids", inside: str = "") -> Path:
    """A folder as the kernel shows a group."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "cgroup.controllers").write_text(controllers + "\n")
    (path / "cgroup.subtree_control").write_text("")
    (path / "cgroup.procs").write_text(inside)
    return path


def a_run_group(base: Path) -> Path:
    group = a_group(base / "run.work")
    for name in FILES:
        (group / name).write_text("")
    return group


def test_limits_are_written_in_the_kernels_words(tmp_path: Path) -> None:
    base = a_group(tmp_path / "tenure-x")
    group = a_run_group(base)
    GroupsV2(str(base), "run.work").create(ALLOCATION)
    written = {name: (group / name).read_text() for name in FILES[:-1]}
    assert written == {
        "cpuset.cpus": "1,3",
        "cpuset.mems": "0",
        "cpu.max": "50000 100000",
        "memory.max": str(1 << 30),
        "memory.swap.max": "0",
        "pids.max": "99",
    }


def test_no_limit_is_written_as_max(tmp_path: Path) -> None:
    base = a_group(tmp_path / "tenure-x")
    group = a_run_group(base)
    free = {**ALLOCATION, "memory_bytes": None, "cpu_quota_milli": None, "cpus": []}
    GroupsV2(str(base), "run.work").create(free)
    assert (group / "memory.max").read_text() == "max"
    assert (group / "cpu.max").read_text() == "max 100000"
    assert (group / "cpuset.cpus").read_text() == "\n"


def test_a_supervisor_in_the_base_moves_to_a_leaf_before_controllers_are_handed_down(tmp_path: Path) -> None:
    base = a_group(tmp_path / "scope", inside=f"{os.getpid()}\n")
    a_run_group(base)
    a_group(base / "supervisor")
    GroupsV2(str(base), "run.work").create(ALLOCATION)
    assert (base / "supervisor" / "cgroup.procs").read_text() == str(os.getpid())


def test_what_was_not_delegated_is_said(tmp_path: Path) -> None:
    base = a_group(tmp_path / "scope")
    group = a_run_group(base)
    (group / "cgroup.controllers").write_text("cpuset memory\n")
    groups = GroupsV2(str(base), "run.work")
    groups.create(ALLOCATION)
    assert groups.not_enforced == [
        "CPU quota: the cpu controller was not delegated",
        "number of processes: the pids controller was not delegated",
    ]


def test_a_hierarchy_without_memory_is_refused_with_the_reason(tmp_path: Path) -> None:
    point = a_group(tmp_path / "unified", controllers="cpuset cpu")
    base, _, why = groups_v2.owned_base(str(point), str(point), "tenure-x", 1)
    assert base is None
    assert "memory" in why


def test_an_owned_hierarchy_gets_a_folder_of_the_engines_own(tmp_path: Path) -> None:
    point = a_group(tmp_path / "unified")
    base, controllers, _ = groups_v2.owned_base(str(point), str(point), "tenure-x", 1)
    assert base == f"{point}/tenure-x"
    assert {"cpuset", "memory"} <= controllers


def test_empty_groups_that_the_work_made_inside_are_removed_with_it_and_its_neighbours_are_not(tmp_path: Path) -> None:
    for empty in ("run.work/init.scope", "run.work/system.slice/a.service", "other.work"):
        (tmp_path / empty).mkdir(parents=True)
    assert GroupsV2(str(tmp_path), "run.work").remove(patience_s=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.work"]


def test_a_group_in_which_something_is_left_stays(tmp_path: Path) -> None:
    (a_group(tmp_path / "run.work" / "inner")).joinpath("kept").write_text("")
    assert not GroupsV2(str(tmp_path), "run.work").remove(patience_s=0)
    assert (tmp_path / "run.work" / "inner").is_dir()


@pytest.fixture
def not_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A hierarchy whose top this user may not write."""
    point = a_group(tmp_path / "unified")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(point) and allowed(path, mode))
    return point


def test_a_delegated_group_of_ones_own_will_do_also_without_cpuset(not_ours: Path) -> None:
    scope = a_group(not_ours / "scope", controllers="memory pids", inside="77\n")
    assert groups_v2.owned_base(str(not_ours), str(scope), "x", 77) == (str(scope), {"memory", "pids"}, "")


def test_a_group_shared_with_others_will_not(not_ours: Path) -> None:
    scope = a_group(not_ours / "scope", inside="77\n78\n")
    base, _, why = groups_v2.owned_base(str(not_ours), str(scope), "x", 77)
    assert base is None
    assert "shares" in why


def test_mounts_and_membership_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text("tmpfs / tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n")
    (tmp_path / "cgroup").write_text("3:cpuset:/x\n0::/user.slice/run.scope\n")
    assert groups_v2.mount_point(str(tmp_path / "mounts")) == "/sys/fs/cgroup"
    assert groups_v2.own_group("/sys/fs/cgroup", str(tmp_path / "cgroup")) == "/sys/fs/cgroup/user.slice/run.scope"


class TestReadBack:
    """What a group says of its limits; where it has no such limit at all, there is no file to name."""

    def test_without_the_cpuset_controller_no_memory_nodes_are_bound(self, tmp_path: Path) -> None:
        a_group(tmp_path / "run.work", controllers="cpu memory pids")
        read = group_v2(GroupsV2(str(tmp_path), "run.work"))
        assert not read["group_memory_nodes"].granted
        assert read["group_memory_nodes"].why == "the cpuset controller was not delegated"

    def test_a_limit_that_is_there_and_cannot_be_read_is_granted(self, tmp_path: Path) -> None:
        a_group(tmp_path / "run.work")
        read = group_v2(GroupsV2(str(tmp_path), "run.work"))
        for name in ("group_memory_nodes", "memory_limit_bytes"):
            assert (read[name].granted, read[name].value) == (True, None)

    def test_nodes_are_read_as_the_kernel_lists_them(self, tmp_path: Path) -> None:
        (a_group(tmp_path / "run.work") / "cpuset.mems.effective").write_text("0-1\n")
        assert group_v2(GroupsV2(str(tmp_path), "run.work"))["group_memory_nodes"].value == (0, 1)
