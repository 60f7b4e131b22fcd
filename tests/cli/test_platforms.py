"""What each system can do is said at once, in the same words everywhere: doctor, up, quickstart, README."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from tenure.cli.own.doctor import kernel_check
from tenure.cli.platforms import LINUX, MACOS, refusal_of, support_of
from tests.cli.host import Shell

README = Path(__file__).resolve().parents[2] / "README.md"
HOSTING = ("up", "quickstart")


def test_linux_hosts_and_macos_does_not() -> None:
    assert support_of("Linux") is LINUX
    assert support_of("Darwin") is MACOS
    assert (LINUX.hosts, MACOS.hosts) == (True, False)
    assert "no way to pin a process to a core" in MACOS.lacks


@pytest.mark.parametrize("name", ["Windows", "FreeBSD", ""])
def test_of_another_system_nothing_is_promised(name: str) -> None:
    found = support_of(name)
    assert not found.hosts
    assert found.works == "nothing is promised."
    assert refusal_of(name, "up") is not None


@pytest.mark.parametrize("command", HOSTING)
def test_on_macos_the_commands_that_host_refuse_at_once(
    offline: Shell, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    ran = offline(command)
    assert (ran.code, ran.out) == (5, "")
    assert "[SystemNotSupported]" in ran.err
    assert MACOS.lacks in ran.err
    assert MACOS.works in ran.err
    assert not offline.home.exists()


def test_on_macos_make_quickstart_says_so_before_it_installs_anything(tmp_path: Path) -> None:
    shutil.copy(README.with_name("Makefile"), tmp_path)
    uname = tmp_path / "bin" / "uname"
    uname.parent.mkdir()
    uname.write_text("#!/bin/sh\necho Darwin\n")
    uname.chmod(0o755)
    path = f"{uname.parent}:{os.environ['PATH']}"
    ran = subprocess.run(["make", "quickstart"], cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True)
    assert ran.returncode != 0
    assert ran.stdout == "", "nothing is begun"
    assert "[SystemNotSupported]" in ran.stderr
    assert f"does not run on macOS. {MACOS.lacks}" in ran.stderr
    assert MACOS.works in ran.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["Makefile", "bin"]


@pytest.mark.parametrize("command", HOSTING)
def test_twin_on_linux_nothing_is_refused(command: str) -> None:
    assert refusal_of("Linux", command) is None


@pytest.mark.parametrize(("name", "state"), [("Linux", "good"), ("Darwin", "lacking"), ("Windows", "lacking")])
def test_doctor_says_it(name: str, state: str) -> None:
    check = kernel_check(name, "24.1.0")
    assert (check.state, check.found) == (state, f"{name} 24.1.0")
    assert check.next_step == ("" if state == "good" else support_of(name).in_words)


@pytest.mark.parametrize("support", [LINUX, MACOS])
def test_the_readme_says_it_in_the_same_words(support: object) -> None:
    assert f"| **{support.system}** | {support.in_words} |" in README.read_text()  # type: ignore[attr-defined]
