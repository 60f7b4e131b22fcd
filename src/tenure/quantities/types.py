"""The exact quantities: integers in base units that remember how they were written.

A class a dimension. `int(quantity)` is the value in the base unit named in its docstring; `str(quantity)` is the text
it came from, or the shortest exact text. They are pydantic types: input may be text or a bare number in the main unit.
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from tenure.quantities import grammar
from tenure.quantities.clock import INSTANT_MS_MAX, INSTANT_MS_MIN, INSTANT_STEP, format_instant, parse_instant
from tenure.quantities.grammar import QuantityError
from tenure.quantities.invalid import invalid

_INT64_MAX = 2**63 - 1


class Quantity(int):
    """An exact non-negative integer in a base unit. Subclasses name the unit."""

    units: ClassVar[Mapping[str, Fraction]]
    base_per_unit: ClassVar[int]  # how many base units make the unit whose suffix table value is 1
    example: ClassVar[str]
    # Suffixes for writing a computed value, largest first; the first that divides it exactly wins.
    written: ClassVar[tuple[str, ...]]
    # A bare number means the main unit (bytes, seconds' rate ...); durations and watts need their unit said.
    bare_numbers: ClassVar[bool] = True
    json_type: ClassVar[Mapping[str, Any]] = {"x-kubernetes-int-or-string": True}

    raw: str | int | float

    def __new__(cls, value: int, raw: str | int | float | None = None) -> Self:
        """`value` counts base units; `raw` is what the user wrote, if a user did."""
        self = super().__new__(cls, value)
        self.raw = cls._shortest(value) if raw is None else raw
        return self

    @classmethod
    def parse(cls, written: str | int | float) -> Self:
        """Read what a user wrote. Raises QuantityError with the reason and an example."""
        if isinstance(written, cls):
            return written
        if isinstance(written, bool):
            raise QuantityError("is a boolean", f"write it like {cls.example}")
        if isinstance(written, int | float) and not cls.bare_numbers:
            raise QuantityError(f"{written} has no unit", f"write it like {cls.example}")
        fraction = grammar.parse_number(
            repr(written) if not isinstance(written, str) else written, cls.units_bare(), example=cls.example
        )
        value = fraction * cls.base_per_unit
        if value < 0:
            raise QuantityError(f"{written} is negative", f"write it like {cls.example}")
        if value.denominator != 1:
            raise QuantityError(f"{written} is finer than this quantity is kept (1/{cls.base_per_unit} of its unit)")
        if value > _INT64_MAX:
            raise QuantityError(f"{written} is larger than any that can be kept")
        return cls(int(value), written)

    @classmethod
    def units_bare(cls) -> Mapping[str, Fraction]:
        """The suffixes accepted, with the empty one where a bare number is."""
        return {**cls.units, "": Fraction(1)} if cls.bare_numbers else cls.units

    @classmethod
    def _shortest(cls, value: int) -> str | int | float:
        for suffix in cls.written:
            count = Fraction(value, cls.base_per_unit) / cls.units_bare()[suffix]
            if count.denominator == 1 and (count or suffix == cls.written[-1]):
                return f"{count}{suffix}"
        return f"{float(Fraction(value, cls.base_per_unit) / cls.units_bare()[cls.written[-1]]):.12g}{cls.written[-1]}"

    def __str__(self) -> str:
        return str(self.raw)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.raw)!r})"

    def __getnewargs__(self) -> tuple[int, str | int | float]:  # type: ignore[override]
        return int(self), self.raw

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def validate(written: Any) -> Quantity:
            if not isinstance(written, str | int | float):
                raise invalid("InvalidQuantity", "is not a quantity", f"write it like {cls.example}")
            try:
                return _parsed(cls, written)  # type: ignore[arg-type]  # a class is hashable, its instances override
            except QuantityError as error:
                raise invalid("InvalidQuantity", error.message, error.step) from None

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(lambda q: getattr(q, "raw", q))
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**cls.json_type, "examples": [cls.example]}


@lru_cache(maxsize=4096, typed=True)
def _parsed(kind: type[Quantity], written: str | int | float) -> Quantity:
    """A hold over a fleet writes the same few quantities thousands of times; they are values and can be shared."""
    return kind.parse(written)


class Bytes(Quantity):
    """Memory or storage; base unit: byte."""

    units = grammar.BYTES
    base_per_unit = 1
    example = "80Gi"
    written = ("Ti", "Gi", "Mi", "Ki", "")


class ByteRate(Quantity):
    """A transfer rate; base unit: byte per second. `b` is a bit, `B` a byte."""

    units = grammar.BYTE_RATES
    base_per_unit = 1
    example = "350GB/s"
    written = ("TB/s", "GB/s", "MB/s", "kB/s", "B/s")
    bare_numbers = False
    json_type = {"type": "string"}


class Duration(Quantity):
    """A length of time; base unit: nanosecond."""

    units = grammar.SECONDS
    base_per_unit = 10**9
    example = "500ms"
    written = ("d", "h", "m", "s", "ms", "us", "ns")
    bare_numbers = False
    # What rules in CEL may cost is reckoned from the longest text.
    json_type = {"type": "string", "maxLength": grammar.LENGTH_MAX}

    @classmethod
    def _shortest(cls, value: int) -> str | int | float:
        """Whole units where there are some; seconds with decimals rather than thousands of milliseconds."""
        if value > cls.base_per_unit and value % cls.base_per_unit and value % 10**6 == 0:
            whole, rest = divmod(value // 10**6, 1000)
            return f"{whole}.{rest:03d}".rstrip("0") + "s"
        return super()._shortest(value)

    @property
    def ms(self) -> int:
        """Whole milliseconds, rounded up, so that a hold is never shorter than what was asked."""
        return -(-int(self) // 10**6)

    @property
    def seconds(self) -> float:
        """Seconds, for showing and for rates."""
        return int(self) / 1e9


class Power(Quantity):
    """Electrical or cooling power; base unit: milliwatt."""

    units = grammar.WATTS
    base_per_unit = 1000
    example = "40kW"
    written = ("MW", "kW", "W", "mW")
    bare_numbers = False
    json_type = {"type": "string"}


class Rate(Quantity):
    """Events per second; base unit: one millionth of an event per second."""

    units = grammar.COUNTS
    base_per_unit = 10**6
    example = "0.25"
    written = ("",)
    json_type = {"type": "number", "minimum": 0}

    @property
    def per_second(self) -> float:
        """Events per second, for arithmetic on samples."""
        return int(self) / 1e6

    @classmethod
    def _shortest(cls, value: int) -> str | int | float:
        return value // cls.base_per_unit if value % cls.base_per_unit == 0 else value / cls.base_per_unit


class Ratio(Rate):
    """A share or probability strictly between 0 and 1; base unit: one millionth."""

    example = "0.95"
    json_type = {"type": "number", "minimum": 0, "maximum": 1}

    @classmethod
    def parse(cls, written: str | int | float) -> Self:
        """As Quantity.parse, and refuses 0, 1 and beyond: certainty cannot be measured."""
        ratio = super().parse(written)
        if not 0 < int(ratio) < cls.base_per_unit:
            raise QuantityError(f"{written} is not strictly between 0 and 1", f"write it like {cls.example}")
        return ratio

    @property
    def value(self) -> float:
        """The ratio as a float in (0, 1)."""
        return int(self) / 1e6


class Count(Quantity):
    """A count of devices or cores that may be divided in thousandths; base unit: one thousandth."""

    units = grammar.COUNTS
    base_per_unit = 1000
    example = "2"
    written = ("", "m")


class Instant(int):
    """A point in time; base: Unix milliseconds. On the wire RFC 3339 in UTC."""

    def __str__(self) -> str:
        return format_instant(int(self))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def validate(written: Any) -> Instant:
            if isinstance(written, int) and not isinstance(written, bool):
                if not INSTANT_MS_MIN <= written <= INSTANT_MS_MAX:
                    raise invalid("InvalidInstant", "lies outside the years 1 to 9999 of UTC", INSTANT_STEP)
                return cls(written)
            try:
                return cls(parse_instant(str(written)))
            except ValueError as error:
                raise invalid("InvalidInstant", str(error).removesuffix(f"; {INSTANT_STEP}"), INSTANT_STEP) from None

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(lambda t: format_instant(int(t)))
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}
