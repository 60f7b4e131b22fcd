"""The training that ships: it learns, it tells its progress, and an interruption changes nothing of its result."""

from pathlib import Path

import numpy as np
import pytest

from tenure.catalog.jobs.digits import CLASSES, DataSetError, read, training_and_held_out
from tenure.catalog.jobs.network import accuracy
from tenure.catalog.jobs.training import Job, train
from tenure.measurement.scrape import parse_metrics

LEARNED, UNSEEN = training_and_held_out(read())


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_data_set_is_the_one_that_its_digest_names_and_no_digit_is_in_both_parts() -> None:
    everything = read()
    assert everything.pictures.shape == (1797, 64)
    assert (everything.pictures.min(), everything.pictures.max()) == (0, 1)
    assert sorted(set(everything.shown)) == list(range(CLASSES))
    assert len(LEARNED.shown) + len(UNSEEN.shown) == 1797
    with pytest.raises(DataSetError, match="digest"):
        read(b"another file")


def test_it_learns_what_it_has_not_seen() -> None:
    weights = train(Job(steps=1500, width=32, batch=128), LEARNED)
    assert accuracy(weights, UNSEEN) > 0.9


def test_twin_without_training_it_guesses() -> None:
    weights = train(Job(steps=0, width=32, batch=128), LEARNED)
    assert accuracy(weights, UNSEEN) < 0.4


def test_an_interruption_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(Job(steps=200, width=16, batch=64), LEARNED)
    (tmp_path / "interrupted").mkdir()
    monkeypatch.chdir(tmp_path / "interrupted")
    train(Job(steps=90, width=16, batch=64), LEARNED)
    resumed = Job(steps=200, width=16, batch=64)
    weights = train(resumed, LEARNED)
    assert (resumed.restored, resumed.done) == (90, 200)
    assert all(np.array_equal(weights[name], whole[name]) for name in whole)


def test_a_checkpoint_of_another_job_is_not_taken() -> None:
    train(Job(steps=10, width=16, batch=64), LEARNED)
    other = Job(steps=10, width=8, batch=64)
    train(other, LEARNED)
    assert other.restored == 0


def test_its_page_is_understood_by_the_scraper() -> None:
    job = Job(steps=8, width=4, batch=4, done=2)
    values, strange = parse_metrics(job.page())
    assert (values["tenure_job_progress_ratio"], values["tenure_job_steps_total"], strange) == (0.25, 2, 0)
