"""Roles that each fit by themselves and not beside each other are refused by counting what machines carry of both."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.placement.builders import machine

from tenure.placement import Calendar, Demand, DeviceRequest, Fleet, Plan, Refusal, Role, exact, plan, verdict

BOX = machine("n", nodes=2, caches=1, cores=4, gpus=4)
"""Eight cores and eight GPUs, half of each on either node."""


def boxes(number: int) -> Fleet:
    return Fleet.of(replace(BOX, name=f"n{n}") for n in range(number))


def role(name: str, count: int, *, gpus: int = 0, cores: int = 0, milli: int = 1000) -> Role:
    devices = (DeviceRequest("gpu", gpus, milli),) if gpus else ()
    return Role(name, count, cores=cores, devices=devices)


def answer(fleet: Fleet, *roles: Role) -> Plan | Refusal:
    return plan(fleet, Calendar(), Demand("gang", roles, duration_ms=5), now_ms=0)


@pytest.fixture
def counting_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact search gives up before its first step."""
    monkeypatch.setattr(exact, "STEPS_MAX", 0)


@pytest.mark.usefixtures("counting_alone")
@pytest.mark.parametrize(
    "roles",
    [
        pytest.param((role("a", 60, gpus=5), role("b", 60, gpus=5)), id="alike but for their names"),
        pytest.param((role("a", 40, gpus=5), role("b", 40, gpus=5), role("c", 40, gpus=5)), id="three of a kind"),
        pytest.param((role("a", 60, gpus=5), role("b", 81, gpus=4)), id="one of either on each"),
        pytest.param((role("a", 50, gpus=5), role("b", 251, gpus=2)), id="on three devices left no two pairs"),
        pytest.param((role("a", 99, gpus=2, cores=5), role("b", 5, gpus=1, cores=4)), id="cores"),
        pytest.param((role("a", 99, gpus=8), role("b", 17, gpus=1, milli=500)), id="shares of one device"),
        pytest.param((role("a", 40, gpus=7), role("b", 30, gpus=6), role("c", 62, gpus=3)), id="each pair fits"),
    ],
)
def test_a_hundred_machines(roles: Sequence[Role]) -> None:
    fleet = boxes(100)
    refusal = answer(fleet, *roles)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.proved) == ("MembersDoNotFitTogether", True)
    for one in roles:
        assert isinstance(answer(fleet, one), Plan)


@pytest.mark.usefixtures("counting_alone")
def test_what_is_refused_so_never_fits_and_little_that_does_not_fit_is_left_to_the_search() -> None:
    draw = random.Random(4)
    told = unknown = 0
    for _ in range(50):
        number, sizes = draw.randint(1, 5), [(draw.randint(1, 5), draw.randint(0, 5)) for _ in "ab"]
        most = [number * min(8 // gpus, 8 // cores if cores else 8) for gpus, cores in sizes]
        counts = [draw.randint(1, max(1, limit)) for limit in most]
        roles = [role(n, c, gpus=g, cores=k) for n, c, (g, k) in zip("ab", counts, sizes, strict=True)]
        found = answer(boxes(number), *roles)
        if carried(number, sizes, counts):
            assert isinstance(found, Plan) or not found.proved
        else:
            assert isinstance(found, Refusal)
            told, unknown = told + found.proved, unknown + (not found.proved)
    assert told > 12
    assert unknown < told / 4


def carried(number: int, sizes: Sequence[tuple[int, int]], counts: Sequence[int]) -> bool:
    """Whether so many machines carry these members, machine by machine and every mixture."""
    (g1, k1), (g2, k2) = sizes
    both = [(a, b) for a in range(9) for b in range(9) if a * g1 + b * g2 <= 8 and a * k1 + b * k2 <= 8]
    reached = {(0, 0)}
    for _ in range(number):
        reached = {(min(counts[0], x + a), min(counts[1], y + b)) for x, y in reached for a, b in both}
    return tuple(counts) in reached


def test_a_search_that_counting_does_not_spare_ends_by_its_looks_however_many_members_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twelve hundred members lie deeper than Python's stack; each that is tried takes a look at many machines."""
    monkeypatch.setattr(verdict, "too_many_beside", lambda *_: False)
    monkeypatch.setattr(exact, "LOOKS_MAX", 9_000)
    small = replace(BOX, cores=BOX.cores[:4], devices=BOX.devices[:3])
    fleet = Fleet.of(replace(small, name=f"n{n}") for n in range(1100))
    refusal = answer(fleet, role("a", 600, gpus=2), role("b", 600, gpus=2))
    assert isinstance(refusal, Refusal)
    assert not refusal.proved
