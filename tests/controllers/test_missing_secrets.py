"""A Secret that a command's variable comes from is a reference like any other: missing, it is said, and it clears."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tenure.client import AsyncClient
from tenure.controllers.contract import commissioning
from tenure.controllers.contract.run import _value
from tenure.controllers.kernel import Key
from tenure.controllers.workload import WorkloadReconciler
from tenure.controllers.workload.trial import Trials
from tenure.resources import ObjectMeta, Secret, Workload
from tenure.resources.kinds.work import EnvVar
from tests.controllers.planes import command, plane_on
from tests.controllers.test_activation import Starting

pytestmark = pytest.mark.anyio
RUN = {"command": ["true"], "env": [{"name": "PLAIN", "value": "x"}, {"name": "TOKEN", "secret": "hub/token"}]}


async def keep(user: AsyncClient, **values: bytes) -> None:
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    await user.create(Secret(metadata=ObjectMeta(name="hub", namespace="default"), data=data))


async def forget(user: AsyncClient) -> None:
    await user.delete(Secret, "hub", namespace="default")


async def test_a_need_waits_for_its_secret_and_goes_on_once_it_is_there(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=2) as (plane, user):
        reconciler = WorkloadReconciler(plane, Trials(plane))
        await user.create(command("need", run=RUN))

        async def said() -> tuple[str, str]:
            await reconciler.reconcile(Key("default", "need"))
            seen = await user.get(Workload, "need", namespace="default")
            assert seen.status is not None
            found = next(c for c in seen.status.conditions if c.type == "ReferencesFound")
            return found.reason, found.message.partition("; ")[0]

        assert await said() == (
            "ReferenceNotFound",
            "spec.run.env[1].secret: no Secret is named hub in namespace default",
        )
        await keep(user, other=b"x")
        assert await said() == ("ReferenceNotFound", "spec.run.env[1].secret: Secret hub has no key token")
        await forget(user)
        await keep(user, token=b"\xff")
        nothing_to_read = "spec.run.env[1].secret: what Secret hub has under token is no text"
        assert await said() == ("ReferenceNotFound", nothing_to_read)
        await forget(user)
        await keep(user, token=b"secret")
        assert await said() == ("ReferencesFound", "")


@pytest.fixture
def starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starting:
    return Starting(tmp_path, monkeypatch)


async def test_a_contract_whose_secret_went_after_acceptance_starts_once_it_is_back(
    starting: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[str] = []

    async def started(plane: Any, contract: Any) -> Any:
        if not there:
            await _value(plane, contract, EnvVar(name="TOKEN", secret="hub/token"))
        return starting.run

    monkeypatch.setattr(commissioning, "_started", started)
    await starting.try_again()
    status = starting.now().status
    assert status is not None
    said = next(c for c in status.conditions if c.type == "Ready")
    assert (status.phase, said.reason) == ("Commissioning", "ReferenceNotFound")
    assert said.message.startswith("run.env.TOKEN: no Secret is named hub in namespace default; create it")
    there.append("hub")
    await starting.try_again()
    assert starting.measurements == 1
