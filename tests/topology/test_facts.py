"""A fact is a value or a reason; unknown is never zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.topology import Unknown, format_cpu_list, known, known_or, listed, parse_cpu_list, parse_cpu_mask


def test_unknown_is_not_zero_and_says_why() -> None:
    reading: int | Unknown = Unknown("permission denied")
    assert reading != 0
    assert not reading
    assert str(reading) == "unknown (permission denied)"


def test_known_or_keeps_a_zero_that_was_read() -> None:
    assert known_or(0, 7) == 0
    assert known_or(Unknown("gone"), 7) == 7
    assert known(Unknown("gone")) is None
    assert listed(Unknown("gone")) == ()


@given(st.sets(st.integers(0, 4096)))
def test_lists_read_back_what_was_written(numbers: set[int]) -> None:
    assert parse_cpu_list(format_cpu_list(numbers)) == tuple(sorted(numbers))


@given(st.sets(st.integers(0, 300)))
def test_masks_hold_the_same_numbers_as_lists(numbers: set[int]) -> None:
    value = sum(1 << number for number in numbers)
    words = [f"{value >> shift & 0xFFFFFFFF:08x}" for shift in range(288, -1, -32)]
    assert parse_cpu_mask(",".join(words)) == tuple(sorted(numbers))


def test_kernels_and_hwloc_write_masks_in_their_own_ways() -> None:
    assert parse_cpu_mask("00000000,00000003") == (0, 1)
    assert parse_cpu_mask("0x000f000f,0x000f000f") == (0, 1, 2, 3, 16, 17, 18, 19, 32, 33, 34, 35, 48, 49, 50, 51)
    assert parse_cpu_mask("0x1,,0x0") == (64,)
    assert parse_cpu_mask("0") == ()


def test_lists_with_strides_and_with_nothing() -> None:
    assert parse_cpu_list("0-7:2/4") == (0, 1, 4, 5)
    assert parse_cpu_list("\n") == ()


@pytest.mark.parametrize("text", ["3-1", "a", "1-", "-1", "0-99999999999", "0-7:3/2"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_cpu_list(text)


def test_a_set_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        parse_cpu_mask("0xf...f,0x00000001")
