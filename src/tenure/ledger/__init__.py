"""The only way capacity changes hands: commits of holds by compare-and-swap on the Site, and the independent recount.

Promises: the sum of holds never exceeds capacity, on any axis, at any instant; an offer is shown only after its hold
was committed; of an acceptance and an expiry exactly one wins. Refuses: to decide from a phase or from a watch cache.
"""

from tenure.ledger.allocator import Allocator, Commit
from tenure.ledger.decision import Decision, Refused, accept, hold_offers, nothing, release
from tenure.ledger.records import Record, View
from tenure.ledger.recount import Finding, recount
from tenure.ledger.standing import GONE

__all__ = [
    "GONE",
    "Allocator",
    "Commit",
    "Decision",
    "Finding",
    "Record",
    "Refused",
    "View",
    "accept",
    "hold_offers",
    "nothing",
    "recount",
    "release",
]
