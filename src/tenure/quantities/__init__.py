"""Exact numbers with units: the Kubernetes grammar and ours, and the clocks.

A quantity is an exact integer in its base unit that remembers the text it was written in, so that what a user applied
is what a user reads back. It promises no rounding: text that has no exact value in the base unit is refused.
"""

from typing import TYPE_CHECKING

from tenure.lazily import lazily
from tenure.quantities.clock import Clock, SteadyClock, SystemClock, VirtualClock, format_instant, parse_instant
from tenure.quantities.grammar import QuantityError, parse_number

if TYPE_CHECKING:
    from tenure.quantities.money import Amount, Money
    from tenure.quantities.types import ByteRate, Bytes, Count, Duration, Instant, Power, Quantity, Rate, Ratio
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "tenure.quantities.money": "Amount Money",
            "tenure.quantities.types": "ByteRate Bytes Count Duration Instant Power Quantity Rate Ratio",
        },
    )

__all__ = [
    "Amount",
    "ByteRate",
    "Bytes",
    "Clock",
    "Count",
    "Duration",
    "Instant",
    "Money",
    "Power",
    "Quantity",
    "QuantityError",
    "Rate",
    "Ratio",
    "SteadyClock",
    "SystemClock",
    "VirtualClock",
    "format_instant",
    "parse_instant",
    "parse_number",
]
