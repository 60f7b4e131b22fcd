"""A backup of a home in which an older version left what this one refuses."""

from pathlib import Path

import jsonschema_rs
import pytest

from tenure.cli.schemas import OUTPUTS
from tenure.resources import Contract, Machine
from tests.cli.host import Shell
from tests.support.embedded import embedded_in_thread
from tests.support.unreadable import putting


@pytest.mark.parametrize("model", [Contract, Machine])
def test_what_cannot_be_understood_is_put_back_and_named_in_place_of_the_recount(
    tmp_path: Path, model: type[Contract | Machine]
) -> None:
    with embedded_in_thread(tmp_path / "home") as host:
        putting(host, model, "old", {"hourlyCost": "1 credits"}).result()
        (host.home / "fleet").mkdir()
        (host.home / "fleet" / "fleet.csv").touch()
        assert Shell(host.home)("backup", tmp_path / "backup").code == 0
    said = Shell(tmp_path / "other")("restore", tmp_path / "backup", "-o", "json")
    assert said.code == 1
    jsonschema_rs.validate(OUTPUTS["Restored"], said.json)
    (finding,) = said.json["findings"]
    assert (finding["code"], finding["severity"]) == ("Unreadable", "error")
    assert f"`tenure delete {model.__name__.lower()} old" in finding["message"]
    another = tmp_path / "another"
    said = Shell(another)("--home", another, "restore", tmp_path / "backup")
    assert said.code == 1
    assert f"`tenure --home {another} delete {model.__name__.lower()} old" in said.out
