"""F1: a need is at most ten lines without a hardware word, and a developer's file that has one is refused."""

from pathlib import Path

import pytest

from tests.requirements.home import House


@pytest.fixture
def here(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def test_init_writes_at_most_ten_lines_that_lint_accepts(here: House, tmp_path: Path) -> None:
    file = tmp_path / "chat.yaml"
    here.must("init", "chat", "--to", file)
    assert len(file.read_text().splitlines()) <= 10
    here.must("lint", "-f", file, "--role", "developer")


@pytest.mark.parametrize(
    "line",
    [
        "  topology: {must: [{share: numaNode}]}",
        "  resources: {cores: 2}",
        "  resources: {devices: [{class: gpu, model: H100}]}",
        "  site: nvidia-rack-7",
    ],
)
def test_twin_a_hardware_word_is_refused(here: House, tmp_path: Path, line: str) -> None:
    file = tmp_path / "chat.yaml"
    here.must("init", "chat", "--to", file)
    file.write_text(file.read_text() + line + "\n")
    said = here.tenure("lint", "-f", file, "--role", "developer")
    assert said.code == 1
    assert "HardwareWord" in said.err
    assert here.tenure("lint", "-f", file).code == 0, "platform engineers may be explicit"
