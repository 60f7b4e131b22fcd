"""Rounds over trials: each trial has its part, the shares come in turn, and the time that was given is kept."""

from dataclasses import replace

import pytest
from benchmarks.over_trials import Schedule

SCHEDULE = Schedule("calibration", rounds=100, trials=8, shares=(0.5, 0.75, 0.9), confidence=0.75, windows=8)


@pytest.mark.parametrize(("rounds", "trials"), [(100, 8), (60, 12), (7, 7), (5, 1)])
def test_each_round_belongs_to_one_trial_and_no_trial_has_much_more_than_another(rounds: int, trials: int) -> None:
    schedule = replace(SCHEDULE, rounds=rounds, trials=trials)
    parts = [schedule.of_trial(trial) for trial in range(trials)]
    assert [number for part in parts for number in part] == list(range(rounds))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_shares_come_in_turn_and_a_trial_measures_for_the_most_demanding() -> None:
    assert [SCHEDULE.assurance(number).share for number in range(4)] == [0.5, 0.75, 0.9, 0.5]
    assert SCHEDULE.most.share == 0.9
