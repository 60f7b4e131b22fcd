"""What can be enforced: the strongest mechanism that works, or every reason why none does."""

import dataclasses

import pytest

from tenure.discovery import capabilities, probe
from tenure.discovery.capabilities import capabilities_of
from tests.discovery.trees import facts_of
from tests.topology.builders import a_gpu, a_machine, an_observed

V2 = {
    "proc/mounts": "cgroup2 /cg cgroup2 rw 0 0",
    "proc/self/cgroup": "0::/user.slice/user-1000.slice/session-1.scope",
    "proc/self/status": "Uid:\t1000\t1000\t1000\t1000",
    "cg/cgroup.controllers": "cpuset cpu memory pids",
    "cg/user.slice/user-1000.slice/user@1000.service/cgroup.controllers": "cpu memory pids",
}


def rows(files: dict[str, str], **changes):
    facts = facts_of(files, root="/")
    return {row.what: row for row in capabilities_of(facts, an_observed(**changes), probe=False)}


def test_a_desktop_user_gets_what_systemd_delegates(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(capabilities.shutil, "which", lambda _: "/usr/bin/systemd-run")
    found = rows(V2)
    assert found["memoryLimit"].available
    assert found["memoryLimit"].mechanism == "cgroup v2 memory through systemd"
    assert found["cpuset"].mechanism == "CPU affinity"
    assert "systemd does not delegate cpuset to this user" in found["cpuset"].reason


def test_without_systemd_run_delegation_is_of_no_use(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(capabilities.shutil, "which", lambda _: None)
    assert "systemd-run is not installed" in rows(V2)["memoryLimit"].reason


def test_with_no_groups_at_all_only_affinity_is_left_and_every_reason_is_told():
    found = rows({})
    assert found["cpuset"].available
    assert "a process can undo it" in found["cpuset"].reason
    assert not found["memoryLimit"].available
    assert found["memoryLimit"].reason.startswith("cgroup v2 is not mounted; cgroup v1 does not offer memory here")


def test_power_can_be_capped_where_an_interface_is_shown():
    zones = {"sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw": "150000000"}
    assert rows(zones)["powerCap"].mechanism == "RAPL (whole packages), NVIDIA power limit (each GPU)"
    assert rows({})["powerCap"].mechanism == "NVIDIA power limit (each GPU)"
    plain = a_machine(gpus=(dataclasses.replace(a_gpu("0000:3d:00.0"), power_max_mw=capabilities.Unknown("no")),))
    assert not rows({}, topology=plain)["powerCap"].available
    assert "virtual machine" in rows({}, topology=plain, virtual="KVM")["powerCap"].reason


def test_a_group_that_cannot_be_made_says_why_and_one_that_takes_no_limit_is_removed(tmp_path):
    assert "no control group can be made" in probe.try_v1([f"{tmp_path}/absent"], "memory", {}).reason
    outcome = probe.try_v1([str(tmp_path)], "memory", {})  # a plain folder has no limit files
    assert not outcome.worked
    assert "takes no limit" in outcome.reason
    assert list(tmp_path.iterdir()) == []


def test_a_controller_that_is_not_handed_down_yet_is_not_switched_on_for_a_trial(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("memory cpu")
    (tmp_path / "cgroup.subtree_control").write_text("cpu")
    assert probe.try_v2([str(tmp_path)], "memory", {}).worked
    assert (tmp_path / "cgroup.subtree_control").read_text() == "cpu"
    assert not probe.try_v2([str(tmp_path)], "cpuset", {}).worked


def test_where_there_is_no_linux_nothing_is_shaped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probe.sys, "platform", "darwin")
    assert probe.network_rate_outcome() == probe.Outcome(False, "traffic is shaped on Linux alone")
