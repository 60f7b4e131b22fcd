"""The published policies we compare with, re-implemented from their papers' definitions.

Each is a scorer (higher is better, -inf where the class does not fit); `Cached` keeps its scores a class and rescores
only the machine that was touched. None of them is part of Tenure.
"""

from benchmarks.peers.cached import Cached, Scorer
from benchmarks.peers.fgd import Fgd
from benchmarks.peers.pwr import Combined, Pwr
from benchmarks.peers.simple import BestFit, Random

__all__ = ["BestFit", "Cached", "Combined", "Fgd", "Pwr", "Random", "Scorer"]
