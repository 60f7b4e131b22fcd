"""Progress of work with an end of its own, read from its own metrics, and what it means for a deadline.

A reading is kept beside the run whenever it differs from the one before, so a forecast survives the control plane. A
forecast is no promise, and says so.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tenure.controllers.contract.judging import run_folder
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition
from tenure.engines import RunState
from tenure.measurement.scrape import ScrapeError, fetch, parse_metrics
from tenure.promises import Outlook, ProgressMark, outlook
from tenure.quantities import Instant, format_instant
from tenure.resources import Condition, Contract
from tenure.resources.kinds.standing import Progress

METRIC = "tenure_job_progress_ratio"
MARKS_FILE = "progress"
MARKS_MAX = 1_000
"""More are thinned to every second one: a forecast needs twenty blocks, not every step."""
LOOK_NS_LEAST = 1_000_000_000
AT_RISK = "AtRisk"
OUTLOOKS: dict[Outlook, tuple[bool | None, str]] = {
    Outlook.DONE: (False, "DeadlineKept"),
    Outlook.MISSED: (True, "DeadlineMissed"),
    Outlook.ON_TIME: (False, "OnTime"),
    Outlook.AT_RISK: (True, "AtRisk"),
    Outlook.WILL_MISS: (True, "WillMiss"),
    Outlook.UNKNOWN: (None, "NoForecast"),
}


@dataclass(slots=True)
class ProgressBook:
    """The readings of each contract's work, by the contract's uid."""

    marks: dict[str, list[ProgressMark]] = field(default_factory=dict)
    looked_ns: dict[str, int] = field(default_factory=dict)

    async def look(self, plane: Plane, contract: Contract, state: RunState) -> tuple[Progress | None, Condition | None]:
        """How far the work is, and how its deadline stands.

        None where the work tells no progress, has no deadline, or was read just now.
        """
        run = contract.spec.body.run
        if run is None or run.metrics is None or plane.simulated:
            return None, None
        # What is written down wakes the reconciler again; without a pause, reading would keep itself busy.
        now_ns = plane.clock.monotonic_ns()
        if not state.final and now_ns - self.looked_ns.get(contract.uid, -LOOK_NS_LEAST) < LOOK_NS_LEAST:
            return None, None
        self.looked_ns[contract.uid] = now_ns
        file = run_folder(plane, contract) / MARKS_FILE
        marks = self.marks.setdefault(contract.uid, _read(file))
        problem = ""
        finished_ms = None
        now_ms = plane.clock.now_ms()
        if state.final:
            finished_ms = state.ended_ms or now_ms
            _take(marks, file, ProgressMark(finished_ms, 1.0))
        else:
            port = state.ports.get(str(run.metrics.port), run.metrics.port)
            try:
                values, _ = parse_metrics(await fetch(f"http://127.0.0.1:{port}{run.metrics.path}"))
                _take(marks, file, ProgressMark(now_ms, values[METRIC]))
            except ScrapeError as error:
                problem = str(error)
            except KeyError:
                problem = f"its metrics hold no {METRIC}"
        return self._said(plane, contract, marks, finished_ms, problem)

    def forget(self, uid: str) -> None:
        """The contract is over."""
        self.marks.pop(uid, None)
        self.looked_ns.pop(uid, None)

    def _said(
        self, plane: Plane, contract: Contract, marks: list[ProgressMark], finished_ms: int | None, problem: str
    ) -> tuple[Progress | None, Condition | None]:
        by_ms = deadline_ms(contract)
        now_ms = plane.clock.now_ms()
        # Without a deadline the end of the term is what the work must be done by.
        stands, found = outlook(marks, 1.0, by_ms or int(contract.spec.term.end), now_ms, finished_ms)
        progress = None
        if marks:
            progress = Progress(
                ratio=round(marks[-1].done, 6),
                seen_at=Instant(marks[-1].at_ms),
                early=Instant(found.early_ms) if found else None,
                likely=Instant(found.likely_ms) if found else None,
                late=Instant(found.late_ms) if found else None,
                confidence=found.confidence if found else None,
                completed_at=Instant(finished_ms) if finished_ms is not None else None,
                problem=problem,
            )
        if by_ms is None:
            return progress, None
        true, reason = OUTLOOKS[stands]
        message = f"due by {format_instant(by_ms)}"
        if found is not None:
            message += f", forecast {format_instant(found.early_ms)} to {format_instant(found.late_ms)}"
        elif finished_ms is not None:
            message += f", done at {format_instant(finished_ms)}"
        return progress, condition(AT_RISK, true, reason, message + (f" ({problem})" if problem else ""), plane.clock)


def deadline_ms(contract: Contract) -> int | None:
    """By when the work must be done, Unix milliseconds: as agreed since, else the instant that was asked for."""
    if contract.spec.promises.complete_by is not None:
        return int(contract.spec.promises.complete_by)
    wanted = contract.spec.body.objectives
    by = wanted.completion.by if wanted is not None and wanted.completion is not None else None
    return None if by is None else int(by)


def _read(file: Path) -> list[ProgressMark]:
    """What was kept; a line that a crash cut short is no reading."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return []
    found = [line.split() for line in lines]
    return [ProgressMark(int(parts[0]), float(parts[1])) for parts in found if len(parts) == 3 and parts[2] == "."]


def _take(marks: list[ProgressMark], file: Path, mark: ProgressMark) -> None:
    if marks and marks[-1].done == mark.done:
        return
    marks.append(mark)
    if len(marks) > MARKS_MAX:
        marks[:] = [*marks[:-1:2], marks[-1]]
        aside = file.with_name(f"{file.name}.new")
        aside.write_text("".join(map(_line, marks)))
        aside.replace(file)
        return
    with file.open("a") as out:
        out.write(_line(mark))


def _line(mark: ProgressMark) -> str:
    return f"{mark.at_ms} {mark.done!r} .\n"
