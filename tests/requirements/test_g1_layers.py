"""G1: imports point downwards only; a planted upward import fails."""

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


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


def test_twin_a_planted_upward_import_fails(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    planted = tmp_path / "src" / "tenure" / "placement" / "values.py"
    planted.write_text(planted.read_text() + "\nimport tenure.controllers\n")
    done = layers(tmp_path)
    assert done.returncode == 1
    assert "tenure.placement" in done.stdout
