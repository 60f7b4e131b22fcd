"""Gangs on the tree of levels: all members or none, in the narrowest domain that carries them.

What it is: free places counted by member class and kept for every domain of every level, so that a decision looks at
domains, not at devices; what a gang touches is all that is recounted.
It promises: a choice is whole and fits; among domains of the narrowest level that fits the fullest is taken; inside it
the fewest child domains are used, the last of them the smallest that carries the rest, so that large blocks stay whole.
A wide gang that waits books its place, which nothing that fills a gap delays (`Bookings`).
It refuses: which cores or devices of a machine (the in-machine search's matter).
"""

from tenure.placement.gangs.booking import Booking, Bookings, Waiting
from tenure.placement.gangs.choice import GangChoice, choose
from tenure.placement.gangs.counts import FreeCounts, Need
from tenure.placement.gangs.tree import LevelTree

__all__ = ["Booking", "Bookings", "FreeCounts", "GangChoice", "LevelTree", "Need", "Waiting", "choose"]
