"""G2: ten thousand GPUs through the door, from one GPU to a gang of 1,024, each inside a stated time."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.requirements.fleets import gang, hopper, house_of
from tests.requirements.home import House

pytestmark = [pytest.mark.real, pytest.mark.slow]
COUNTER_OFFERED = 6
ASK_SECONDS_MAX = 1.0
ROUNDS = 3
"""Somebody else may have the machine while it is asked five times; hardly each of three times."""
DECISION_SECONDS_MAX = 5.0
"""With the command's own start and a busy machine; the decision itself takes a tenth of a second."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    rows = (hopper(f"node-{n:04d}", f"rack-{n // 4}", rack_power="45kW") for n in range(1250))
    with house_of(tmp_path_factory.mktemp("fleet"), *rows) as home:
        yield home


@pytest.mark.parametrize(("members", "gpus"), [(1, 1), (4, 8), (128, 8)])
def test_a_demand_of_any_size_is_held_within_the_time(fleet: House, members: int, gpus: int) -> None:
    path = gang(fleet, f"gang-{members}", members=members, gpus=gpus)
    began = time.monotonic()
    fleet.must("request", "-f", path)
    assert time.monotonic() - began < DECISION_SECONDS_MAX


def test_every_machine_is_an_object_like_any_other(fleet: House) -> None:
    machines = fleet.must("get", "machines", "-o", "json").json["items"]
    assert len(machines) == 1250
    assert {machine["status"]["state"] for machine in machines} == {"Ready"}


def test_twin_more_than_there_is_is_refused_within_the_time_and_what_is_left_is_offered(fleet: House) -> None:
    path = gang(fleet, "huge", members=1300, gpus=8)
    began = time.monotonic()
    assert fleet.tenure("request", "-f", path).code == COUNTER_OFFERED
    assert time.monotonic() - began < DECISION_SECONDS_MAX
    answer = fleet.must("why", "huge", "-o", "json").json["answer"]
    binding = answer["refusal"]["binding"]
    assert (binding["needed"], binding["capacity"]) == (10_400, 10_000)
    less = answer["quotes"][0]["relaxed"][0]
    assert (less["axis"], less["asked"]) == ("less", "1300")
    assert 1_000 < int(less["offered"]) <= 1_250


def test_an_answer_for_one_gpu_takes_no_longer_because_there_are_ten_thousand(fleet: House) -> None:
    one = gang(fleet, "one-more", members=1, gpus=1)
    for _ in range(ROUNDS):
        if sorted(waits := [seconds_to_ask(fleet, one) for _ in range(5)])[2] < ASK_SECONDS_MAX:
            return
    raise AssertionError(waits)


def seconds_to_ask(fleet: House, path: Path) -> float:
    began = time.monotonic()
    fleet.tenure("ask", "-f", path)
    return time.monotonic() - began
