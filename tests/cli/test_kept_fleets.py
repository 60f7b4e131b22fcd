"""The file of a fleet in its home: replaced whole or not at all, with the one before it until that was taken over."""

import json
from pathlib import Path
from typing import Any

import pytest

from tenure.cli import running
from tenure.cli.fleet_file import BEFORE, FOLDER, fleet_before, keep_fleet, kept_fleet, serves_fleet, take_over
from tests.cli.host import Shell


def named(path: Path, machine: str) -> Path:
    """A table of this one machine."""
    path.write_text(f"sn,cpu_milli,memory_mib,gpu,model\n{machine},8000,65536,0,\n")
    return path


def machines(fleet: Any) -> list[str]:
    return [machine.name for machine in fleet.machines]


def test_the_file_that_was_taken_over_last_stays_until_another_one_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for number in range(3):
        keep_fleet(home, named(tmp_path / f"{number}.csv", f"m-{number}"), running=False)
        if number == 0:
            assert fleet_before(home) is None
            take_over(home)
    assert machines(kept_fleet(home)) == ["m-2"]
    assert machines(fleet_before(home)) == ["m-0"], "nobody took over m-1"
    take_over(home)
    assert fleet_before(home) is None
    assert sorted(path.name for path in home.iterdir() if path.is_dir()) == [FOLDER]


def test_one_that_is_cut_off_while_it_is_replaced_is_served_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, rename = tmp_path / "home", Path.rename
    keep_fleet(home, named(tmp_path / "0.csv", "m-0"), running=False)

    def killed(self: Path, target: Path) -> Path:
        if target == home / FOLDER:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        keep_fleet(home, named(tmp_path / "1.csv", "m-1"), running=False)
    monkeypatch.undo()
    assert serves_fleet(home)
    assert machines(kept_fleet(home)) == ["m-0"]
    take_over(home)
    assert (home / BEFORE).exists(), "it is the only one"
    keep_fleet(home, named(tmp_path / "1.csv", "m-1"), running=False)
    assert (machines(kept_fleet(home)), machines(fleet_before(home))) == (["m-1"], ["m-0"])


def test_up_says_what_the_file_overruled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [f"Machine/m-{n} spec.hourlyCost is 4.00 EUR" for n in range(12)]
    plane = {"pid": 1, "startTime": 1.0, "url": "u", "site": "simulated", "machine": "m", "overruled": told}
    monkeypatch.setattr(running, "living_plane_of", lambda _: None)
    monkeypatch.setattr(running, "_start", lambda *_: plane)
    said = Shell(tmp_path / "home")("up")
    assert said.err.splitlines()[-2:] == [told[9], "and 2 more: tenure up -o json"]
    assert json.loads(Shell(tmp_path / "home")("up", "-o", "json").out)["overruled"] == told
