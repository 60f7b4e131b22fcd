"""The published programme's own arrivals: a seed here is its seed, task for task.

FGD's authors shuffle, inflate and order machines by Go's math/rand, so with that generator one can compare a peer with
its published curve seed by seed, and not two draws of one experiment. Its definition: an additive lagged Fibonacci
generator, x(n) = x(n - 607) + x(n - 273) modulo 2^64, begun from a seed's own numbers xor those that the generator
itself has after 7.8e12 steps from seed 1 (golang/go, src/math/rand/rng.go and gen_cooked.go). Those are reckoned here
by the recurrence's polynomial, not copied.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from benchmarks.placement.protocol import TUNE, Arrivals, in_order
from tenure.placement.packing import ClassTable, Demand, Fleet

LENGTH, LAG = 607, 273
COOKED_STEPS = 7_800_000_000_000
WORD = (1 << 64) - 1
Words = npt.NDArray[np.uint64]


def _seeds(seed: int) -> list[int]:
    """The multiplicative generator that seeds the other: 48271 x mod 2^31 - 1, its first twenty numbers left out."""
    x = seed % 0x7FFFFFFF or 89482311
    found = []
    for number in range(-20, 3 * LENGTH):
        x = 48271 * x % 0x7FFFFFFF
        if number >= 0:
            found.append(x)
    return found


def _words(seed: int, high: int, middle: int) -> list[int]:
    x = _seeds(seed)
    return [(x[n] << high & WORD) ^ (x[n + 1] << middle) ^ x[n + 2] for n in range(0, 3 * LENGTH, 3)]


def _squared(one: Words) -> Words:
    """The square of a polynomial modulo x^607 - x^334 - 1, coefficients modulo 2^64."""
    product = np.zeros(2 * LENGTH - 1, dtype=np.uint64)
    for place in range(LENGTH):
        product[place : place + LENGTH] += one[place] * one
    high = product[LENGTH:]
    low = product[:LENGTH].copy()
    while len(high):  # each x^607 is 1 + x^334, of which the second may again be too high
        low[: len(high)] += high
        fits = min(len(high), LAG)
        low[LENGTH - LAG : LENGTH - LAG + fits] += high[:fits]
        high = high[LAG:]
    return low


@cache
def _cooked() -> tuple[int, ...]:
    """The generator's numbers, by slot, after so many steps from seed 1."""
    power = np.zeros(LENGTH, dtype=np.uint64)  # x to the steps
    power[0] = 1
    for bit in bin(COOKED_STEPS)[2:]:
        power = _squared(power)
        if bit == "1":
            power = np.roll(power, 1)
            power[LENGTH - LAG : LENGTH - LAG + 1] += power[:1]
    slots = _words(1, 20, 10)
    drawn = [slots[(LENGTH - LAG - 1 - step) % LENGTH] for step in range(-LENGTH, 0)]
    for _ in range(LENGTH):
        drawn.append((drawn[-LENGTH] + drawn[-LAG]) & WORD)
    past = np.array(drawn, dtype=np.uint64)
    later = [int((power * past[step : step + LENGTH]).sum(dtype=np.uint64)) for step in range(LENGTH)]
    cooked = [0] * LENGTH
    for step, word in enumerate(later):
        cooked[(LENGTH - LAG - 1 - (COOKED_STEPS - LENGTH + step)) % LENGTH] = word
    return tuple(cooked)


class GoRandom:
    """Go's math/rand from a seed: what its functions of these names return, in the order in which they are asked."""

    def __init__(self, seed: int) -> None:
        self._slots = [word ^ cooked for word, cooked in zip(_words(seed, 40, 20), _cooked(), strict=True)]
        self._tap, self._feed = 0, LENGTH - LAG

    def int63(self) -> int:
        self._tap = (self._tap - 1) % LENGTH
        self._feed = (self._feed - 1) % LENGTH
        word = self._slots[self._feed] = (self._slots[self._feed] + self._slots[self._tap]) & WORD
        return word & (WORD >> 1)

    def below(self, limit: int) -> int:
        """``Intn``: by remainder; what would favour small numbers is drawn anew."""
        drawn = self.int63() >> 32
        if limit & (limit - 1):
            highest = (1 << 31) - 1 - (1 << 31) % limit
            while drawn > highest:
                drawn = self.int63() >> 32
            return drawn % limit
        return drawn & (limit - 1)

    def permutation(self, count: int) -> list[int]:
        """``Perm``."""
        found = [0] * count
        for place in range(count):
            other = self.below(place + 1)
            found[place] = found[other]
            found[other] = place
        return found

    def shuffle(self, values: list[int]) -> None:
        """``Shuffle``, which draws by multiplication."""
        for place in range(len(values) - 1, 0, -1):
            limit = place + 1
            product = (self.int63() >> 31) * limit
            if product & 0xFFFFFFFF < limit:
                while product & 0xFFFFFFFF < (1 << 32) % limit:
                    product = (self.int63() >> 31) * limit
            other = product >> 32
            values[place], values[other] = values[other], values[place]


def as_published(fleet: Fleet, tasks: list[Demand], seed: int) -> Arrivals:
    """The arrivals of the published programme for a seed. ``tasks`` are sorted by name, as ``read_tasks`` gives them.

    It draws one number that it only logs, shuffles the tasks, removes some or adds clones until 1.3 x capacity is asked
    for, and numbers the machines; of equal scores the lowest number wins.
    """
    random = GoRandom(seed)
    random.int63()
    order = list(range(len(tasks)))
    random.shuffle(order)
    asked = sum(task.total_device_milli for task in tasks)
    target = TUNE * fleet.device_milli
    if asked > target:
        while asked > target:
            asked -= tasks[order.pop(random.below(len(order)))].total_device_milli
    else:
        while True:
            clone = random.below(len(tasks))
            task = tasks[clone]
            # As published: what one device of the next would take ends it, though it may take several.
            if asked + (task.device_milli if task.device_count else 0) > target:
                break
            asked += task.total_device_milli
            order.append(clone)
    by_name = sorted(range(len(fleet)), key=lambda row: fleet.names[row])
    number_of = dict(zip(by_name, random.permutation(len(fleet)), strict=True))
    rows = np.array(sorted(range(len(fleet)), key=lambda row: number_of[row]), dtype=np.int64)
    classes = ClassTable(models=fleet.models)
    listed = np.array([classes.intern(task) for task in tasks], dtype=np.int64)
    return Arrivals(in_order(fleet, rows), classes, np.bincount(listed, minlength=len(classes)), listed[order])
