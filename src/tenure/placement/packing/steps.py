"""Work in small steps: a generator that yields after each of them and returns what it has made."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Work(Generic[T]):
    """Work that is done some steps at a time. ``taken`` counts them."""

    def __init__(self, steps: Generator[None, None, T]) -> None:
        self.taken = 0
        self._steps = self._kept(steps)

    def take(self, steps: int) -> None:
        """So many steps more, or what is left of them."""
        self.taken += sum(1 for _ in islice(self._steps, steps))

    def finish(self) -> T:
        """All steps that are left, and what was made."""
        self.taken += sum(1 for _ in self._steps)
        return self._made

    def _kept(self, steps: Generator[None, None, T]) -> Iterator[None]:
        self._made = yield from steps
