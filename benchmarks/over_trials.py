"""So many rounds over so many trials, each trial in a home of its own, told as they end; a partial result is a result.

What ends it early (an interrupt, the time that was allowed) ends the round under way and keeps those before it. A trial
that comes to nothing is told and left out.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.home import BenchmarkError, home, need_model
from benchmarks.rounds import MODEL, Assurance, Round, measured, one_round
from tenure.sdk import SdkError


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is to be run. The rounds of a trial take the shares in turn; each is held for `windows` under load."""

    name: str
    rounds: int
    trials: int
    shares: tuple[float, ...]
    confidence: float
    windows: int = 0
    seconds_max: float | None = None

    def of_trial(self, trial: int) -> range:
        """The numbers of its rounds: equally many for each trial, or one more for the first ones."""
        first = trial * self.rounds // self.trials
        return range(first, (trial + 1) * self.rounds // self.trials)

    def assurance(self, number: int) -> Assurance:
        """What the round of this number asks."""
        return Assurance(self.shares[number % len(self.shares)], self.confidence)

    @property
    def most(self) -> Assurance:
        """The most demanding figures, at which each trial measures."""
        return Assurance(max(self.shares), self.confidence)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What both benchmarks take."""
    parser.add_argument("--minutes", type=float, help="start no round after so long, and show what there is")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the JSON there as well, whatever is shown")


def run(schedule: Schedule, notes: Console, line: Callable[[Round], str]) -> list[Round]:
    """All rounds that could be made. Raises BenchmarkError where there was none."""
    need_model(MODEL)
    found: list[Round] = []
    pace = _Pace(schedule)
    failures: list[str] = []
    with _interruptible():
        try:
            for trial in range(schedule.trials):
                if pace.over(len(found)):
                    break
                try:
                    for one in _of_trial(schedule, trial, notes, pace, len(found)):
                        found.append(one)
                        where = f"{len(found):>3}/{schedule.rounds}  trial {trial + 1}"
                        notes.print(f"{where}  {line(one)}", markup=False, soft_wrap=True)
                except (BenchmarkError, SdkError) as error:
                    failures.append(str(error))
                    notes.print(f"trial {trial + 1} came to nothing: {error}", markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            notes.print("interrupted; this is what was seen until then", markup=False)
    if not found:
        raise BenchmarkError(failures[0] if failures else "nothing was run; next: give it longer")
    return found


def _of_trial(schedule: Schedule, trial: int, notes: Console, pace: _Pace, before: int) -> Iterator[Round]:
    """The rounds of one trial, as they end."""
    named = f"trial {trial + 1} of {schedule.trials}"
    with notes.status(named) as status, home(schedule.name) as own:

        def tell(words: str) -> None:
            status.update(f"{named}: {words}; {pace.words(before)}")

        with measured(own, schedule.most, trial, tell) as ground:
            for number in schedule.of_trial(trial):
                if pace.over(before):
                    return
                yield one_round(ground, number, schedule.assurance(number), schedule.windows, tell)
                before += 1


class _Pace:
    """How long it has taken, and may still take."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._begun = time.monotonic()

    def over(self, done: int) -> bool:
        """Whether all is done, or its time is over."""
        limit = self._schedule.seconds_max
        return done >= self._schedule.rounds or (limit is not None and time.monotonic() - self._begun >= limit)

    def words(self, done: int) -> str:
        """Progress: rounds done, minutes gone, minutes to come at this pace."""
        gone = (time.monotonic() - self._begun) / 60
        if not done:
            return f"{gone:.0f} min gone"
        left = gone / done * (self._schedule.rounds - done)
        return f"{done} of {self._schedule.rounds} done, {gone:.0f} min gone, about {left:.0f} to come"


@contextmanager
def _interruptible() -> Iterator[None]:
    """A polite request to stop (SIGTERM) is taken as Ctrl-C is: what was started is ended, what was seen is shown."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
