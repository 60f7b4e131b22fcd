"""The ten lines of the README's example as their reader runs them: from a need to a streamed answer."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.catalog import artifact_of, cached_path, models
from tests.requirements.home import House, house

pytestmark = [pytest.mark.real, pytest.mark.slow]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "chat.py"
SECONDS_MAX = 900
"""Its windows are ten seconds long: the trial and the commissioning take minutes, and longer beside other work."""


@pytest.fixture
def up(tmp_path: Path) -> Iterator[House]:
    if cached_path(artifact_of(models()[0])) is None:
        pytest.skip("the model is not here: tenure model fetch smollm2-135m-instruct")
    made = house(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_the_example_asks_accepts_and_streams_an_answer(up: House) -> None:
    environment = {**os.environ, "TENURE_HOME": str(up.path)}
    command = [sys.executable, str(EXAMPLE)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.split()) > 1, "words came"
    assert "Active" in up.must("get", "contracts").out


def test_twin_without_a_host_it_says_what_to_do(tmp_path: Path) -> None:
    environment = {**os.environ, "TENURE_HOME": str(tmp_path / "nowhere")}
    command = [sys.executable, str(EXAMPLE)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode != 0
    assert "tenure up" in ran.stderr
