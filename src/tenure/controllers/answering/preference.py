"""Which of several ways that meet a need is named first: the cheapest, the most frugal, or the fastest. Pure.

What nobody knows (a price, watts) is worse than any figure; then fewer cores stand for less of both.
"""

import math
from collections.abc import Callable, Sequence

from tenure.controllers.answering.capability import Capability
from tenure.controllers.answering.need import Preference
from tenure.promises import AvailabilityObjective
from tenure.resources.kinds.answer import Quote

Key = tuple[float, float, float]


def slack_of(capability: Capability | None) -> float:
    """How far the worst of its bounds is from what is asked, as a share: -0.5 is half of what is allowed."""
    if capability is None:
        return 0.0
    # How many windows were measured says nothing of speed.
    speeds = [c.excess for c in capability.carried if not isinstance(c.objective, AvailabilityObjective)]
    return max(speeds, default=0.0)


def _hourly(quote: Quote) -> float:
    return quote.price.hourly.micros if quote.price.hourly is not None else math.inf


def _watts(quote: Quote) -> float:
    return int(quote.watts.power) if quote.watts.power is not None else math.inf


KEYS: dict[Preference, Callable[[Quote, float], Key]] = {
    "cost": lambda quote, slack: (_hourly(quote), quote.cores, slack),
    "power": lambda quote, slack: (_watts(quote), quote.cores, slack),
    "speed": lambda quote, slack: (slack, _hourly(quote), quote.cores),
}


def preferred(preference: Preference, quotes: Sequence[tuple[Quote, float]]) -> list[int]:
    """The places of the quotes, best first. Each comes with its slack; equals stay in the order given."""
    key = KEYS[preference]
    return sorted(range(len(quotes)), key=lambda place: key(*quotes[place]))
