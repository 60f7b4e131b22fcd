"""What a quantity is written as is read back as the same, to the last base unit; what is none is refused in words."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.quantities import (
    ByteRate,
    Bytes,
    Count,
    Duration,
    Instant,
    Money,
    Power,
    Quantity,
    QuantityError,
    Rate,
    Ratio,
    parse_instant,
)

INT64_MAX = 2**63 - 1
EXACT_IN_A_FLOAT = 10**15
"""Rates are numbers in JSON: up to here a float keeps each millionth."""
MOST: dict[type[Quantity], int] = {Rate: EXACT_IN_A_FLOAT, Ratio: 10**6 - 1}
KINDS: list[type[Quantity]] = [Bytes, ByteRate, Duration, Power, Rate, Ratio, Count]
YEARS_MS = 4_102_444_800_000


def or_why(parse: Callable[[], Any]) -> tuple[Any, str]:
    """What was read, or in words why nothing was."""
    try:
        return parse(), ""
    except QuantityError as error:
        return None, str(error)


def values(kind: type[Quantity]) -> st.SearchStrategy[int]:
    most = MOST.get(kind, INT64_MAX)
    some = st.integers(1, most) | st.integers(1, 10**7) | st.integers(1, 10**5).map(lambda n: n * 10**6)
    return some.filter(lambda value: value <= most)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_was_computed_is_written_and_read_back_exactly(kind: type[Quantity], data: st.DataObject) -> None:
    value = data.draw(values(kind))
    assert int(kind.parse(str(kind(value)))) == value


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_number_with_any_suffix_is_what_the_table_says(kind: type[Quantity], data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(sorted(kind.units_bare())))
    number = data.draw(st.integers(0, 10**6))
    value = number * kind.units_bare()[suffix] * kind.base_per_unit
    written = f"{number}{suffix}"
    try:
        found = kind.parse(written)
    except QuantityError:
        too_fine, too_much = value.denominator != 1, value > INT64_MAX
        assert too_fine or too_much or (kind is Ratio and not 0 < value < 10**6), written
        return
    assert (Fraction(int(found)), str(found)) == (value, written), "and it remembers how it was written"


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(max_size=80) | st.from_regex(r"[0-9.eE+-]{1,12} ?[a-zA-Z/]{0,5}", fullmatch=True))
def test_any_text_is_a_quantity_or_refused_in_words(kind: type[Quantity], text: str) -> None:
    found, why = or_why(lambda: kind.parse(text))
    assert why or 0 <= int(found) <= INT64_MAX


def test_seconds_with_milliseconds_lose_none_however_many_they_are() -> None:
    assert str(Duration(1_234_567 * 10**6)) == "1234.567s"
    assert str(Duration(86_400_250 * 10**6)) == "86400.25s"


@given(micros=st.integers(0, INT64_MAX), currency=st.sampled_from(["EUR", "USD", "JPY"]))
def test_money_is_read_back_exactly(micros: int, currency: str) -> None:
    assert Money.parse(str(Money(micros, currency))) == Money(micros, currency)


@given(text=st.text(max_size=40))
def test_any_text_is_money_or_refused_in_words(text: str) -> None:
    found, why = or_why(lambda: Money.parse(text))
    assert why or found.micros >= 0


@given(ms=st.integers(0, YEARS_MS))
def test_an_instant_is_read_back_exactly(ms: int) -> None:
    assert parse_instant(str(Instant(ms))) == ms
