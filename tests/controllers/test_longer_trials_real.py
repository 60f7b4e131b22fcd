"""`tenure trial --for` over the real model: the answer afterwards rests on more windows and is no less sure."""

from typing import Any

import pytest

from tenure.catalog import artifact_of, cached_path, models
from tests.requirements.home import House
from tests.requirements.served import NEED, asked

pytestmark = [pytest.mark.real, pytest.mark.slow]
ANSWERED = (0, 6)
"""In full, or with a counter-offer."""
SURER = "{window: 4s, share: 0.9, confidence: 0.99}"
"""More than the windows of the minute that a trial measures of a shape by itself carry."""


def statistical(said: Any) -> list[dict[str, Any]]:
    """The promises of the best quote."""
    assert said.code in ANSWERED, said.out + said.err
    promises: list[dict[str, Any]] = said.json["answer"]["quotes"][0]["promises"]["statistical"]
    return promises


def test_a_longer_trial_makes_the_answer_surer(home: House) -> None:
    if cached_path(artifact_of(models()[0])) is None:
        pytest.skip("the model is not here: tenure model fetch smollm2-135m-instruct")
    path = home.manifest("surer", NEED.format(name="surer", term="20m", assurance=SURER))
    before = statistical(asked(home, "request", "-f", path, "-o", "json"))
    after = statistical(asked(home, "trial", "-f", path, "--for", "10m", "-o", "json"))
    for earlier, later in zip(before, after, strict=True):
        assert later["evidence"]["windows"] > earlier["evidence"]["windows"]
        assert float(later["confidence"]) >= float(earlier["confidence"])
    assert min(float(later["confidence"]) for later in after) >= 0.99
