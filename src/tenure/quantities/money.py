"""Amounts of money: exact millionths of one currency. Currencies never mix and are never converted."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from tenure.quantities.grammar import QuantityError
from tenure.quantities.invalid import invalid

AMOUNT_MICROS_MAX = 10**18
_MONEY = re.compile(r"(\d+(?:\.\d{1,6})?) ?([A-Z]{3})")


@dataclass(frozen=True, slots=True)
class Money:
    """`micros` millionths of `currency`: three capital letters, an ISO 4217 code or credits of a site's own."""

    micros: int
    currency: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read text such as `0.12 EUR`. Raises QuantityError."""
        match = _MONEY.fullmatch(text.strip())
        if match is None:
            raise QuantityError(f"{text!r} is no amount of money", "write it like 0.12 EUR (at most six decimals)")
        return cls(int(Fraction(match.group(1)) * 10**6), match.group(2))

    def __str__(self) -> str:
        whole, rest = divmod(self.micros, 10**6)
        decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
        return f"{whole}.{decimals} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise QuantityError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.micros + other.micros, self.currency)

    def times(self, numerator: int, denominator: int) -> "Money":
        """This amount times a fraction, rounded up to the millionth."""
        return Money(-(-self.micros * numerator // denominator), self.currency)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def validate(written: Any) -> Money:
            if isinstance(written, Money):
                return written
            try:
                return cls.parse(str(written))
            except QuantityError as error:
                raise invalid("InvalidQuantity", error.message, error.step) from None

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^\d+(\.\d{1,6})? ?[A-Z]{3}$", "examples": ["0.12 EUR"]}


def _countable(written: Money) -> Money:
    if written.micros > AMOUNT_MICROS_MAX:
        raise PydanticCustomError(
            "InvalidQuantity",
            "is more than {most}, the most that is asked or paid",
            {"most": str(Money(AMOUNT_MICROS_MAX, written.currency))},
        )
    return written


Amount = Annotated[Money, AfterValidator(_countable)]
"""Money as somebody writes it, a price or a limit; what is computed of it may be more."""
