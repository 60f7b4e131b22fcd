"""What lies in examples/ is told of in its README, and the manifests there are right."""

from pathlib import Path

import pytest

from tests.cli.host import Shell

FOLDER = Path(__file__).resolve().parents[2] / "examples"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".py", ".yaml"))


@pytest.mark.parametrize("name", FILES)
def test_every_example_is_in_the_readme(name: str) -> None:
    assert f"[{name}]({name})" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".yaml")])
def test_every_manifest_is_right(offline: Shell, name: str) -> None:
    assert offline("lint", "-f", FOLDER / name).code == 0
