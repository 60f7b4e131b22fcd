"""What a site still carries, in words: one is one, and nobody asks for fewer than none."""

import pytest

from tenure.cli.own.capacity import amount, member_text
from tenure.placement import Role
from tests.cli.host import Shell


@pytest.mark.parametrize("option", ["--cores", "--gpus"])
def test_fewer_than_none_are_refused(offline: Shell, option: str) -> None:
    ran = offline("capacity", option, "-3")
    assert (ran.code, ran.out) == (2, "")
    assert f"{option} -3" in ran.err
    assert "[InvalidValue]" in ran.err
    assert "→" in ran.err


def test_one_is_one() -> None:
    assert [amount(1, "devices"), amount(2, "devices"), amount(1, "seats"), amount(1, "")] == [
        "1 device",
        "2 devices",
        "1 seat",
        "1",
    ]
    assert [member_text(Role(cores=count)) for count in (1, 2)] == ["1 core", "2 cores"]
