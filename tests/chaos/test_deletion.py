"""Deleting an Offer, Contract, Workload or namespace releases exactly once, after the processes are gone."""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest
import yaml

from tenure.catalog import artifact_of, cached_path, models
from tenure.client import Client, NotFound
from tenure.engines import LocalEngine
from tenure.resources import ApiObject, Contract, Namespace, ObjectMeta, Offer, Site, Workload
from tenure.resources.kinds.site import LedgerStatus
from tests.chaos.harness import Home
from tests.requirements.served import NEED

pytestmark = pytest.mark.real
SECONDS = 90
SLOW_TO_END = (
    "import signal, time; signal.signal(signal.SIGTERM, lambda *_: time.sleep(0.5) or exit()); time.sleep(3600)"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("deletion") / "home", random.Random(1))
    made.up()
    try:
        yield made
    finally:
        made.clean()


def until(true: object, what: str) -> None:
    give_up = time.monotonic() + SECONDS
    while not true():  # type: ignore[operator]
        assert time.monotonic() < give_up, what
        time.sleep(0.1)


def active(client: Client, name: str, namespace: str = "default") -> Contract:
    """The Active contract of a fresh workload."""
    found: list[Contract] = []

    def is_active() -> bool:
        found[:] = [
            c
            for c in client.list(Contract, namespace=namespace).items
            if c.spec.workload.name == name and c.status is not None and c.status.phase == "Active"
        ]
        return bool(found)

    until(is_active, f"{name} becomes Active")
    return found[0]


def gone(client: Client, model: type[ApiObject], name: str, namespace: str | None = "default") -> bool:
    try:
        client.get(model, name, namespace=namespace)
    except NotFound:
        return True
    return False


def nothing_is_left(home: Home, client: Client) -> None:
    assert home.settle()["exit"] == 0
    assert [s for s in LocalEngine(home.path).runs() if not s.final] == []
    assert _ledger(client).last_batch[-1].operation == "Release"


def _ledger(client: Client) -> LedgerStatus:
    status = client.get(Site, "local").status
    assert status is not None, "the site has a status"
    return status.ledger


@pytest.mark.parametrize("what", ["contract", "workload", "namespace"])
def test_what_runs_is_stopped_before_its_hold_is_released(home: Home, what: str) -> None:
    with home.client() as client:
        namespace = f"to-delete-{what}"
        client.create(Namespace(metadata=ObjectMeta(name=namespace)))
        wanted = home.workload(f"by-{what}")
        client.create(wanted.model_copy(update={"metadata": ObjectMeta(name=wanted.name, namespace=namespace)}))
        contract = active(client, wanted.name, namespace)
        before = _ledger(client).generation
        match what:
            case "contract":
                client.delete(Contract, contract.name, namespace=namespace)
            case "workload":
                client.delete(Workload, wanted.name, namespace=namespace)
            case _:
                client.delete(Namespace, namespace)
        run = contract.spec.hold.id
        engine = LocalEngine(home.path)

        def released() -> bool:
            there = gone(client, Contract, contract.name, namespace)
            if there:
                assert not any(s.run_id == run and not s.final for s in engine.runs()), "released before it was gone"
            return there

        until(released, f"the contract goes with its {what}")
        if what == "contract":
            # Deleting it ended it: its Workload asks for nothing more, and goes when it is deleted too.
            client.delete(Workload, wanted.name, namespace=namespace)
            until(lambda: gone(client, Workload, wanted.name, namespace), "the workload is gone")
        until(lambda: not _live(client, namespace), "everything in the namespace is gone")
        nothing_is_left(home, client)
        after = _ledger(client).generation
        assert after > before


def test_a_held_offer_is_released_once(home: Home) -> None:
    with home.client() as client:
        wanted = home.workload("offered")
        manual = wanted.spec.model_copy(update={"acceptance": "manual"})
        client.create(wanted.model_copy(update={"spec": manual}))
        until(lambda: _held(client), "an offer is held")
        offer = _held(client)[0]
        client.delete(Offer, offer.name, namespace="default")
        until(lambda: gone(client, Offer, offer.name), "the offer is gone")
        until(lambda: _held(client), "a fresh offer is made, since the need still stands")
        client.delete(Workload, "offered", namespace="default")
        until(lambda: not _live(client, "default"), "all of it is gone")
        nothing_is_left(home, client)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("what", ["offer", "contract", "workload", "namespace"])
def test_at_whatever_moment_it_is_deleted_it_is_released_once_and_after_its_processes(
    home: Home, what: str, seed: int
) -> None:
    """Also while it is held, commissioned or ended: nobody waits for a phase, and what is ending is deleted again."""
    source = random.Random(f"{what} {seed}")
    with home.client() as client:
        namespace = f"whenever-{what}-{seed}"
        client.create(Namespace(metadata=ObjectMeta(name=namespace)))
        before = client.get(Site, "local").metadata.resource_version or ""
        wanted = home.workload("whenever", command=[sys.executable, "-c", SLOW_TO_END])
        client.create(wanted.model_copy(update={"metadata": ObjectMeta(name=wanted.name, namespace=namespace)}))
        time.sleep(source.uniform(0, 1.5))
        _delete(client, what, namespace)
        time.sleep(source.uniform(0, 0.8))
        _delete(client, "contract", namespace)  # where one stands by now, in whatever phase
        time.sleep(source.uniform(0, 0.4))
        client.delete(Namespace, namespace) if what != "namespace" else None
        engine = LocalEngine(home.path)
        until(lambda: gone(client, Namespace, namespace, None) and not _live(client, namespace), "all of it is gone")
        assert [s.run_id for s in engine.runs() if not s.final] == [], "released before its processes were gone"
        assert home.settle()["exit"] == 0
        released = Counter(uid for uid, operation in _committed_since(client, before) if operation == "Release")
        assert set(released.values()) <= {1}, released


@pytest.mark.parametrize("what", ["offer", "workload", "namespace", "control plane"])
def test_a_trial_is_over_before_its_hold_is_released(home: Home, what: str) -> None:
    """Whether it is deleted, or whoever measured dies: what is trialled next has nothing of it beside itself."""
    if cached_path(artifact_of(models()[0])) is None:
        pytest.skip("the model is not here: tenure model fetch smollm2-135m-instruct")
    namespace = f"trialled-{what.replace(' ', '-')}"
    engine = LocalEngine(home.path)
    with home.client() as client:
        client.create(Namespace(metadata=ObjectMeta(name=namespace)))
        version = client.get(Site, "local").metadata.resource_version or ""
        client.create(_to_trial(namespace, output_tokens=16 + len(what)))
        started: list[Offer] = []
        until(lambda: _trialled(client, engine, namespace, started), "the model is started for its trial")
        offer = started[0]
        match what:
            case "control plane":
                home.kill()
                home.up()
            case "offer":
                client.delete(Offer, offer.name, namespace=namespace)
            case "workload":
                client.delete(Workload, offer.spec.workload.name, namespace=namespace)
            case _:
                client.delete(Namespace, namespace)

    with home.client() as client:

        def released() -> bool:
            if offer.uid in {held.uid for held in _held(client)}:
                return False
            assert not _runs(engine, {offer.spec.hold.id}), "released before it was gone"
            return True

        until(released, f"the trial goes with its {what}")
        if what != "namespace":
            client.delete(Namespace, namespace)
        until(lambda: gone(client, Namespace, namespace, None) and not _live(client, namespace), "all of it is gone")
        assert home.settle()["exit"] == 0
        releases = Counter(uid for uid, operation in _committed_since(client, version) if operation == "Release")
        assert releases[offer.uid] == 1


def _to_trial(namespace: str, output_tokens: int) -> Workload:
    """A need that nobody has measured yet, if no other one had answers of this length."""
    text = NEED.format(name="trialled", term="20m", assurance="{window: 1s, share: 0.75, confidence: 0.75}")
    need = yaml.safe_load(text)
    need["metadata"]["namespace"] = namespace
    need["spec"]["load"]["outputTokens"] = output_tokens
    return Workload.model_validate(need)


def _trials(client: Client, namespace: str) -> list[Offer]:
    return [o for o in _held(client) if o.spec.purpose == "Trial" and o.namespace == namespace]


def _trialled(client: Client, engine: LocalEngine, namespace: str, started: list[Offer]) -> bool:
    """Whether something is measured there; `started` is then the trials under which it is."""
    started[:] = [offer for offer in _trials(client, namespace) if _runs(engine, {offer.spec.hold.id})]
    return bool(started)


def _runs(engine: LocalEngine, holds: set[str]) -> list[str]:
    """What runs under these holds."""
    return [run.run_id for run in engine.runs() if run.run_id.partition(".")[0] in holds and not run.final]


def _delete(client: Client, what: str, namespace: str) -> None:
    """Delete what there is of it now, if anything."""
    models: dict[str, type[ApiObject]] = {"offer": Offer, "contract": Contract, "workload": Workload}
    if what == "namespace":
        client.delete(Namespace, namespace)
        return
    for obj in client.list(models[what], namespace=namespace).items:
        with suppress(NotFound):
            client.delete(models[what], obj.name, namespace=namespace)


def _committed_since(client: Client, version: str) -> Iterator[tuple[str, str]]:
    """The uid and the operation of everything committed since: each generation of the Site is watched."""
    last, seen = _ledger(client).generation, -1
    for event in client.watch(Site, resource_version=version):
        if event.object is None or event.object.status is None:
            continue
        ledger = event.object.status.ledger
        if ledger.generation > seen:
            yield from ((operation.uid, operation.operation) for operation in ledger.last_batch)
        seen = ledger.generation
        if seen >= last:
            return


def _held(client: Client) -> list[Offer]:
    return [o for o in client.list(Offer).items if o.status is not None and o.status.phase == "Held"]


def _live(client: Client, namespace: str) -> bool:
    return bool(client.list(Contract, namespace=namespace).items or client.list(Offer, namespace=namespace).items)
