"""By when a need was to start is judged until a contract of it has started; what follows such a contract goes on."""

from pathlib import Path

import pytest

from tenure.controllers.answering.need import need_digest
from tenure.controllers.contract.marks import set_phase
from tenure.controllers.kernel import Key
from tenure.controllers.status import condition
from tenure.controllers.workload import WorkloadReconciler
from tenure.controllers.workload.following import has_begun
from tenure.controllers.workload.trial import Trials
from tenure.ledger import release
from tenure.quantities import Instant, SystemClock, format_instant
from tenure.resources import Contract, Workload
from tenure.resources.kinds.contract import ContractSpec, ContractStatus, ContractTerm, WorkloadReference
from tests.controllers.builders import NOW_MS
from tests.controllers.planes import command, plane_on

NEED = Key("default", "need")
HOUR_MS = 3_600_000


def contract(workload: Workload, start_ms: int, ended_ms: int | None, need: str | None = None) -> Contract:
    of = WorkloadReference(name="need", uid="u", generation=1, need=need or need_digest(workload.spec))
    term = ContractTerm(start=Instant(start_ms), end=Instant(start_ms + HOUR_MS))
    status = ContractStatus(ended_at=Instant(ended_ms) if ended_ms is not None else None)
    return Contract.model_construct(spec=ContractSpec.model_construct(workload=of, term=term), status=status)


@pytest.mark.parametrize(
    ("start_ms", "ended_ms", "need", "begun"),
    [
        (NOW_MS, None, None, True),
        (NOW_MS - HOUR_MS, NOW_MS - HOUR_MS + 1, None, True),
        (NOW_MS + 1, None, None, False),
        (NOW_MS - HOUR_MS, NOW_MS - HOUR_MS - 1, None, False),
        (NOW_MS, None, "another", False),
    ],
    ids=["runs", "ended", "starts later", "ended before its start", "of the need before an edit"],
)
def test_a_need_has_begun_once_a_contract_of_it_came_to_its_start(
    start_ms: int, ended_ms: int | None, need: str | None, begun: bool
) -> None:
    wanted = command("need")
    assert has_begun(wanted, [contract(wanted, start_ms, ended_ms, need)], NOW_MS) is begun
    assert not has_begun(wanted, [], NOW_MS)


async def test_fresh_offers_follow_a_contract_that_started_though_the_start_asked_for_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, because = SystemClock.now_ms, "CommissioningFailed"
    term = {"startBy": format_instant(SystemClock().now_ms() + HOUR_MS), "duration": "24h"}
    async with plane_on(tmp_path, cores=1) as (plane, user):
        needs = WorkloadReconciler(plane, Trials(plane))
        await user.create(command("need", term=term, acceptance="auto"))
        await needs.reconcile(NEED)
        await needs.reconcile(NEED)  # which accepts what the first one offered
        (made,) = (await user.list(Contract)).items
        said = condition("Ready", False, because, "", plane.clock)
        await set_phase(plane, made, "Ending", said, ended_because=because)
        await plane.allocator.decide(lambda view, fleet, now_ms: release(view.live(), "Ended", because))
        monkeypatch.setattr(SystemClock, "now_ms", lambda clock: real(clock) + 2 * HOUR_MS)
        await needs.reconcile(NEED)
        found = await user.get(Workload, "need", namespace="default")
        assert found.status is not None
        assert found.status.answer is not None
        assert (found.status.answer.kind, found.status.answer.refusal) == ("Offers", None)
        assert int(found.status.answer.answered_at or 0) >= real(SystemClock()) + HOUR_MS, "it is the fresh one"
