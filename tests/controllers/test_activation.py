"""Activation that was cut off goes on from where it was signed: every window since then is judged, and none is lost."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.controllers.contract import active, commissioning, ending
from tenure.controllers.contract.checking import Recomputing, owed
from tenure.controllers.contract.commissioning import job_key
from tenure.controllers.contract.judge import Kind
from tenure.controllers.contract.judging import judge_windows
from tenure.controllers.contract.progress import ProgressBook
from tenure.controllers.contract.stating import state
from tenure.controllers.measuring import Job
from tenure.engines import EndReason, Phase, RunNotFound
from tenure.engines.local.translate import unknown_run
from tenure.evidence import contract_source, export_bundle, verify_bundle
from tenure.quantities import Instant, format_instant
from tenure.resources.kinds.standing import Commissioning, CommissioningFigure, RunStatus
from tests.controllers.test_judging import AT_MS
from tests.controllers.watched import AGREES, DIFFERS, Watched, ready
from tests.support.memory_host import Crashed

pytestmark = pytest.mark.anyio
BEGAN_MS = AT_MS - 60_000
FIGURE = CommissioningFigure(metric="timeToFirstToken", percentile="p95", windows=4, windows_within=4, holds=True)


class Starting(Watched):
    """A contract that was measured just now, whose run serves and reads back as it should."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(home, signed=False)
        self.home, self.measurements, self.resumed, self.gone, self.looked = home, 0, 0, False, 0
        key = next(key for key in self.host.objects if key[0] == "Contract")
        self.host.objects[key]["spec"]["hold"]["start"] = format_instant(BEGAN_MS)
        self.host.objects[key]["status"] = {
            "phase": "Commissioning",
            "commissioning": {"startedAt": format_instant(BEGAN_MS)},
        }
        work = SimpleNamespace(process=None, started_ms=None, restarts=0)
        self.run: Any = SimpleNamespace(
            run_id="r", phase=Phase.RUNNING, work=work, confinement=None, healthy=True, final=False, reason=None
        )

        async def nothing(*_: object) -> Any:
            return None

        async def endpoint(*_: object) -> Any:
            return SimpleNamespace(base_url="http://127.0.0.1:1/v1")

        async def measure(*_: object) -> None:
            self.measurements += 1

        for name in ("predecessor_stands", "in_the_way", "carry_work", "spec_of_contract"):
            monkeypatch.setattr(commissioning, name, nothing, raising=name != "in_the_way")
        monkeypatch.setattr(commissioning, "endpoint_of", endpoint)
        monkeypatch.setattr(commissioning, "compare", lambda *_: [AGREES])
        monkeypatch.setattr(commissioning, "_measure", measure)
        self.plane.measurements = SimpleNamespace(jobs={}, drop=lambda _: None)  # type: ignore[assignment]
        self.plane.allocator = SimpleNamespace(decide=nothing)  # type: ignore[assignment]

    def resume(self, run_id: str) -> Any:
        self.resumed += 1
        return self.run

    def read_back(self, _run_id: str) -> None:
        return None

    def state(self, run_id: str) -> Any:
        self.looked += 1
        if self.gone:
            raise RunNotFound(run_id)  # its supervisor ended it, and it was forgotten
        return self.run

    def stop(self, run_id: str, _grace_ms: int | None) -> None:
        raise RunNotFound(run_id)

    async def activate(self) -> None:
        """As it goes on once the measurement holds."""
        now = Instant(self.clock.now_ms())
        measured = Commissioning(started_at=Instant(BEGAN_MS), finished_at=now, holds=True, figures=[FIGURE])
        run = RunStatus(id="r", state="Running", restarts=0, read_back=[AGREES])
        await commissioning._activate(self.plane, self.now(), self.run, run, measured)

    async def cut_off(self) -> None:
        """It is signed, and the status is not written."""
        self.host.crash_after(0, applied=False)
        with pytest.raises(Crashed):
            await self.activate()
        self.host.heal()

    async def end(self, because: str = "EndedByTerm") -> None:
        """As it goes once its term is over."""
        self.gone = True
        await ending.end(self.plane, self.now(), because)

    async def try_again(self) -> None:
        """The next look at it, from the beginning of a step."""
        await commissioning.commission(self.plane, self.now())


@pytest.fixture
def starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starting:
    return Starting(tmp_path, monkeypatch)


async def test_in_one_go_it_is_ready_by_its_commissioning(starting: Starting) -> None:
    await starting.activate()
    found = starting.now()
    assert found.status is not None
    assert found.status.signature is not None
    assert (found.status.phase, ready(found)) == ("Active", ("True", "Commissioned"))
    assert (int(found.status.observed_at or 0), int(found.status.signature.signed_at)) == (AT_MS, AT_MS)


async def test_what_is_being_measured_is_looked_at_and_otherwise_left_alone(starting: Starting) -> None:
    """As in service: a commissioning that nobody disturbs calls good what is not kept once somebody looks."""
    over = asyncio.Event()
    job = Job(asyncio.ensure_future(over.wait()))  # type: ignore[arg-type]
    starting.plane.measurements.jobs[job_key(Kind.UNDER_LOAD, starting.contract.uid)] = job
    await starting.try_again()
    await starting.try_again()
    assert (starting.looked, starting.resumed, starting.measurements) == (2, 0, 0)
    over.set()
    await job.task
    await starting.try_again()
    assert (starting.resumed, starting.measurements) == (1, 1), "what was measured is judged in the next step"


async def test_cut_off_behind_its_signature_it_is_not_measured_again_and_owes_every_window_since(
    starting: Starting,
) -> None:
    await starting.cut_off()
    starting.serve(41)
    await starting.try_again()
    found = starting.now()
    assert found.status is not None
    assert found.status.signature is not None
    assert found.status.commissioning is not None
    assert (found.status.phase, starting.measurements) == ("Active", 0)
    assert int(found.status.signature.signed_at) == AT_MS, "from its signature on, not from the second attempt"
    assert found.status.commissioning.figures == [FIGURE]
    assert ready(found)[0] == "Unknown", "its commissioning is four windows old"
    standing = judge_windows(starting.plane, found)
    assert standing is not None
    assert [verdict.window.start_ms - AT_MS for verdict in standing.fresh] == [0, 10_000, 20_000, 30_000]
    body = {"because": "EndedByUser", "at": format_instant(starting.clock.now_ms())}
    state(starting.plane, found, "ending", "ending", body)
    assert problems(starting, found.status.checkpoint or "") == []


@pytest.mark.parametrize(
    "by_now",
    [
        {"phase": Phase.LOST, "final": True, "reason": EndReason.REBOOT, "message": "the machine rebooted"},
        {"phase": Phase.ENDED, "final": True, "reason": EndReason.STOPPED, "message": "it was stopped"},
        {"healthy": False, "claimed_ms": AT_MS - 60_000},
    ],
    ids=["lost", "ended", "unhealthy"],
)
async def test_cut_off_behind_its_signature_it_is_in_service_whatever_became_of_its_run(
    starting: Starting, by_now: dict[str, Any]
) -> None:
    """So it is begun again under a statement, or lost by its provider; never unsigned, and never started anew here."""
    await starting.cut_off()
    vars(starting.run).update(by_now)
    await starting.try_again()
    status = starting.now().status
    assert status is not None
    assert status.signature is not None
    assert (status.phase, status.ended_because, starting.resumed) == ("Active", None, 0)


async def test_cut_off_behind_its_signature_and_its_run_forgotten_it_is_in_service_and_lost(starting: Starting) -> None:
    await starting.cut_off()
    starting.gone = True
    await starting.try_again()
    await active.watch(starting.plane, starting.looks, ProgressBook(), starting.now())
    status = starting.now().status
    assert status is not None
    assert (status.phase, status.ended_because) == ("Ending", "Lost")
    await starting.end("Lost")
    assert starting.now().to_json()["status"]["verdict"] == "Breached", "its provider ended it before its term"


async def test_cut_off_behind_its_signature_what_the_kernel_holds_otherwise_by_then_is_stated_and_breaks_it(
    starting: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await starting.cut_off()
    monkeypatch.setattr(commissioning, "compare", lambda *_: [DIFFERS])
    await starting.try_again()
    assert starting.now().to_json()["status"]["phase"] == "Active"
    await starting.look(DIFFERS)
    await starting.end("EndedByUser")
    assert starting.now().to_json()["status"]["verdict"] == "Breached"


async def test_cut_off_behind_its_signature_a_run_that_cannot_be_read_is_waited_for(starting: Starting) -> None:
    await starting.cut_off()
    readable, adopted = starting.run, []
    starting.plane.engine.adopt = lambda: adopted.append(1)  # type: ignore[method-assign, assignment, return-value]
    starting.run = unknown_run("r", (), "its record is damaged", Phase.UNREADABLE)
    await starting.try_again()
    assert (ready(starting.now()), adopted) == (("Unknown", "RunUnreadable"), [1])
    starting.run = readable
    await starting.try_again()
    assert starting.now().to_json()["status"]["phase"] == "Active"


async def test_twin_before_its_signature_it_is_measured(starting: Starting) -> None:
    await starting.try_again()
    assert starting.measurements == 1


async def test_cut_off_behind_its_signature_and_looked_at_again_when_it_is_over_its_windows_are_judged_all_the_same(
    starting: Starting,
) -> None:
    await starting.cut_off()
    starting.serve(600)
    await starting.end()
    found = starting.now()
    assert found.status is not None
    assert found.status.signature is not None
    assert int(found.status.signature.signed_at) == AT_MS
    assert found.status.commissioning is not None
    assert found.status.commissioning.figures == [FIGURE]
    (account,) = found.status.accounting
    assert (account.windows, account.kept) == (60, 60)
    assert found.status.verdict == "Kept", "its hard promises were read back just before"
    assert problems(starting, found.status.checkpoint or "") == []


async def test_twin_never_signed_nothing_was_promised_and_nothing_is_judged(starting: Starting) -> None:
    starting.serve(600)
    await starting.end()
    found = starting.now()
    assert found.status is not None
    assert (found.status.signature, found.status.verdict, found.status.accounting) == (None, None, [])


def problems(starting: Starting, note: str) -> list[object]:
    """What a stranger finds wrong with its bundle."""
    path, keys = starting.home / "bundle", starting.plane.keys
    source = contract_source(starting.contract.uid)
    export_bundle(starting.plane.log, path, sources=[source], keys=keys, at_ms=starting.clock.now_ms())
    found = verify_bundle(path, public_key=keys.signing.public, checkpoint=note, recompute=Recomputing(), owed=owed)
    return list(found.failures)
