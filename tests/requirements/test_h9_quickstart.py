"""H9, and parts of F4 and G4: from nothing to a live contract that answers, in minutes."""

import os
import time
from pathlib import Path

import pytest

from tenure.catalog import artifact_of, cached_path, models
from tests.requirements.home import House

pytestmark = pytest.mark.real
SECONDS_MAX = 300


def test_the_quickstart_ends_with_a_live_contract_and_leaves_nothing(tmp_path: Path) -> None:
    if cached_path(artifact_of(models()[0])) is None:
        pytest.skip("the model is not here: tenure model fetch smollm2-135m-instruct")
    here = House(tmp_path / "home")
    begun = time.monotonic()
    said = here.tenure("quickstart", "--short")
    assert said.code == 0, said.out + said.err
    assert time.monotonic() - begun < SECONDS_MAX
    assert "Active" in said.out
    assert not here.path.exists(), "everything that it started is gone"


def test_twin_a_home_that_is_in_use_is_not_touched(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "precious").write_text("keep me")
    said = House(home).tenure("quickstart")
    assert said.code == 2
    assert "not empty" in said.err
    assert (home / "precious").read_text() == "keep me"


def test_twin_a_model_that_is_not_what_it_says_is_not_served(tmp_path: Path) -> None:
    said = House(tmp_path / "home").tenure("model", "fetch", "no-such-model")
    assert said.code == 3
    os.environ.pop("TENURE_HOME", None)
