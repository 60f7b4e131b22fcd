"""The grammar of a number with a suffix, as one exact fraction.

Kubernetes' suffixes (resource.Quantity: n u m k M G T P E, Ki Mi Gi Ti Pi Ei, and decimal exponents) and, per unit, the
field's own (`350GB/s`, `500ms`, `40kW`). A unit is given as a table from suffix to its size in base units.
"""

import re
from collections.abc import Mapping
from fractions import Fraction

_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE])([+-]?\d+))?")
LENGTH_MAX = 64
_EXPONENT_MAX = 30

DECIMAL: Mapping[str, Fraction] = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
}
BINARY: Mapping[str, Fraction] = {
    prefix + "i": Fraction(1024**power) for power, prefix in enumerate(("K", "M", "G", "T", "P", "E"), start=1)
}
COUNTS: Mapping[str, Fraction] = {**DECIMAL}
BYTES: Mapping[str, Fraction] = {
    **{k: v for k, v in DECIMAL.items() if k not in ("n", "u")},
    **BINARY,
    **{k + "B": v for k, v in DECIMAL.items() if k not in ("n", "u", "m")},
    **{k + "B": v for k, v in BINARY.items()},
}
BYTE_RATES: Mapping[str, Fraction] = {
    **{k + "B/s": v for k, v in DECIMAL.items() if k not in ("n", "u", "m")},
    **{k + "B/s": v for k, v in BINARY.items()},
    **{k + "b/s": v / 8 for k, v in DECIMAL.items() if k not in ("n", "u", "m")},
}
SECONDS: Mapping[str, Fraction] = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
    "w": Fraction(7 * 86400),
}
WATTS: Mapping[str, Fraction] = {
    "mW": Fraction(1, 1000),
    "W": Fraction(1),
    "kW": Fraction(10**3),
    "MW": Fraction(10**6),
    "GW": Fraction(10**9),
}


class QuantityError(ValueError):
    """The text is no quantity of this unit; `step` says what to write instead, where that is known."""

    def __init__(self, message: str, step: str = "") -> None:
        super().__init__(f"{message}; {step}" if step else message)
        self.message, self.step = message, step


def parse_number(text: str, units: Mapping[str, Fraction], *, example: str) -> Fraction:
    """Read `text` as a number followed by one suffix of `units`; the result is exact, in base units.

    Raises QuantityError naming the text and an `example` of what is accepted.
    """
    stripped = text.strip()
    if len(text) > LENGTH_MAX:
        raise QuantityError(f"is {len(text)} characters long; a quantity such as {example} is meant")
    match = _NUMBER.match(stripped)
    if match is None:
        raise QuantityError(f"{stripped!r} does not start with a number", f"write it like {example}")
    suffix = stripped[match.end() :].strip()
    number = Fraction(match.group(1))
    if match.group(2):
        # "1E" is exa, "1E3" is an exponent: the pattern takes an exponent only when digits follow.
        exponent = int(match.group(3))
        if abs(exponent) > _EXPONENT_MAX:
            raise QuantityError(f"{stripped!r} has an exponent beyond {_EXPONENT_MAX}")
        number *= Fraction(10) ** exponent
    if suffix not in units:
        known = " ".join(sorted((u for u in units if u), key=lambda u: units[u]))
        raise QuantityError(f"{stripped!r} ends in an unknown unit {suffix!r}; use one of: {known} (like {example})")
    return number * units[suffix]
