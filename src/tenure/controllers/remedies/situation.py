"""The situation of a contract that breaks its promise: what kernel, engine and windows say. One look, one value."""

from dataclasses import dataclass

from tenure.measurement.kernel import Cause
from tenure.resources.kinds.standing import ReadBackFact


@dataclass(frozen=True, slots=True)
class Intruder:
    """A process that is not the contract's and used the contract's CPUs."""

    pid: int
    start_ticks: int
    name: str
    cpus: tuple[int, ...]
    cpu_share: float  # of one CPU, since the last look


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a rung's condition may look at."""

    intruders: tuple[Intruder, ...] = ()
    differing: tuple[ReadBackFact, ...] = ()
    causes: tuple[Cause, ...] = ()
    healthy: bool | None = None
    stuck: bool = False  # requests are open and no token came for a window
    broken: int = 0  # of the newest windows, those that broke `breaking`, measured or not
    breaking: str = ""  # of the promises whose budget burns, the one that most of them broke
    missed: int = 0  # of the newest windows, those that were measured and broke `missing`
    missing: str = ""  # of the promises whose budget burns, the one that most of those that were measured broke
    spare: tuple[int, ...] = ()  # cores that are held back for it and could be brought in
    spent: bool = False  # some promise has used up its error budget
    may_end: bool = False  # its user would rather have it end than run on broken
