"""What a command must not load before it has something to print: people wait for every import."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("asyncio", "h2", "lightkube", "pydantic", "rich", "yaml", "tenure.resources.kinds.contract")


def _loaded_by(arguments: list[str], home: Path) -> set[str]:
    script = f"""
import sys
from tenure.cli.main import main
sys.argv = ["tenure", *{arguments!r}]
try:
    main()
except SystemExit:
    pass
print("loaded:", *sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"TENURE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("arguments", [["get", "contracts"], ["get", "wl", "chat"], ["get", "machines", "-o", "json"]])
def test_showing_objects_builds_no_model(arguments: list[str], tmp_path: Path) -> None:
    """The host sends JSON and columns are paths in it: pydantic's models of 14 kinds would be the larger half."""
    loaded = _loaded_by(arguments, tmp_path)
    assert "tenure.cli.verbs.get" in loaded, "the command's own code ran"
    assert loaded.isdisjoint(HEAVY)


def test_help_loads_no_client(tmp_path: Path) -> None:
    assert _loaded_by(["--help"], tmp_path).isdisjoint({"asyncio", "httpx2", "pydantic", "yaml", "tenure.client"})
