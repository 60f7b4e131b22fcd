"""G1: imports point downwards only, and each client of another's system stays in its room; what is planted fails."""

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PLANTED = {
    "placement/values.py": "tenure.controllers",
    "controllers/status.py": "tenure.sdk",
    "resources/problems.py": "lightkube",
    "ledger/convert.py": "sqlite3",
    "topology/lint.py": "rich",
    "server/__init__.py": "jinja2",
}
"""File: what is imported there and must not be."""
STRAY = "storeroom"
"""A room that has no place in the layers."""


def layers(tree: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--config", str(tree / "pyproject.toml")],
        cwd=tree,
        env={"PYTHONPATH": str(tree / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_point_downwards_only() -> None:
    done = layers(CHECKOUT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_twin_each_planted_import_fails_and_is_named(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    for file, imported in PLANTED.items():
        with (tmp_path / "src" / "tenure" / file).open("a") as planted:
            planted.write(f"\nimport {imported}\n")
    (tmp_path / "src" / "tenure" / f"{STRAY}.py").touch()
    done = layers(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 kept, 5 broken" in done.stdout, done.stdout
    for file, imported in PLANTED.items():
        module = ".".join(("tenure", *Path(file).with_suffix("").parts)).removesuffix(".__init__")
        assert f"{module} -> {imported} (l." in done.stdout, done.stdout
    assert f"- tenure.{STRAY}" in done.stdout
