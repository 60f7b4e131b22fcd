"""The story of the quickstart to its end. `make quickstart` tells the same, and ends with 1 where a claim broke."""

import re
from pathlib import Path

import pytest

from tenure.catalog import artifact_of, cached_path, models
from tests.requirements.home import House

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_the_whole_story_holds_and_says_what_each_step_came_to(tmp_path: Path) -> None:
    """What a busy machine could not show is allowed here; a claim that broke is not."""
    if cached_path(artifact_of(models()[0])) is None:
        pytest.skip("the model is not here: tenure model fetch smollm2-135m-instruct")
    here = House(tmp_path / "home")
    said = here.tenure("quickstart")
    assert said.code == 0, said.out + said.err
    for step in ("Refuse, and counter", "Kept", "Breach and remedy", "Control dies", "Prove", "In all"):
        assert re.search(rf"[✓·] {step}  (held|not shown here): ", said.out), f"{step}:\n{said.out}"
    excuses = ("too slow to answer", "restarted the process", "verdicts on the windows that passed, within")
    assert "✓ Control dies  held" in said.out or any(excuse in said.out for excuse in excuses)
    assert "did not hold" not in said.out
    assert "the log goes on from your checkpoint" in said.out or "windows that are owed have no verdict" in said.out
    assert "The bundle does not hold." in said.out, "of the one with a flipped bit"
    assert not here.path.exists(), "everything that it started is gone"
