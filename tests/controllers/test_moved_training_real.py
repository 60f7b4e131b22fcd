"""A training survives a move: its next contract is on another core, and it goes on there from its checkpoint.

It will miss its deadline, so a later one is offered. Where it runs another contract begins before that, so that the new
terms must lie elsewhere.
"""

import urllib.request
from collections.abc import Iterator

import pytest

from tenure.engines import LocalEngine
from tenure.measurement.scrape import parse_metrics
from tenure.quantities import SystemClock, format_instant
from tests.controllers.test_terms_real import contract, contracts, recount
from tests.controllers.test_training_real import PORT, at_risk, change_offered, training
from tests.requirements.home import House, house
from tests.requirements.served import until

pytestmark = pytest.mark.real

STEPS = 10_000_000
"""More than any machine trains before the one that comes next."""
DUE_SECONDS, TERM_SECONDS, NEXT_SECONDS = 120, 180, 260


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All of the machine is on sale, so that there is another core to move to."""
    made = house(tmp_path_factory.mktemp("moved"))
    try:
        name = made.must("get", "machines", "-o", "json").json["items"][0]["metadata"]["name"]
        made.must("patch", "machine", name, "-p", '{"spec": {"reserved": {"cores": []}}}')
        made.must("down")
        made.must("up")
        if len(sellable(made)) < 2:
            pytest.skip("it takes two cores to move from one to another")
        yield made
    finally:
        made.close()


def sellable(home: House) -> list[int]:
    found: list[int] = home.must("get", "machines", "-o", "json").json["items"][0]["status"]["sellableCores"]
    return found


def sleeper(home: House, name: str, cores: int, term: str) -> list[int]:
    """A command that holds so many cores for a term; which ones."""
    need = home.command(name, extra=f"  resources: {{cores: {cores}}}\n").read_text()
    path = home.manifest(name, need.replace("duration: 10m", term))
    made = home.must("request", "-f", path, "--accept", "best", "-o", "json").json["contract"]
    held: list[int] = made["spec"]["hold"]["claims"][0]["cores"]
    return held


def cpus(home: House, run_id: str) -> set[int]:
    """Those that the kernel lets its threads use."""
    return set(LocalEngine(home.path).read_back(run_id).cpus_allowed)


def restored_steps() -> float | None:
    """How many steps it had when it was last started, by its own metrics; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=5) as answer:
            values, _ = parse_metrics(answer.read().decode())
    except OSError:
        return None
    return values["tenure_job_restored_steps"]


def test_a_training_goes_on_from_its_checkpoint_on_another_core(home: House) -> None:
    others = sleeper(home, "others", len(sellable(home)) - 1, "duration: 30m")
    start = format_instant(SystemClock().now_ms() + NEXT_SECONDS * 1000)
    wanted_next = sleeper(home, "next", 1, f'start: "{start}", duration: 60m')
    training(home, "moving", STEPS, DUE_SECONDS, term=f"{TERM_SECONDS}s")
    first = until(lambda: contract(home, "moving", "Active"))
    (core,) = first["spec"]["hold"]["claims"][0]["cores"]
    assert [core] == wanted_next, "another contract begins where it runs"
    assert core not in others
    home.must("end", "others")
    before_cpus = cpus(home, first["spec"]["hold"]["id"])

    offer = until(
        lambda: change_offered(home, first["metadata"]["name"]), DUE_SECONDS, lambda: str(at_risk(home, "moving"))
    )
    done = contract(home, "moving", "Active")["status"]["progress"]["ratio"] * STEPS
    assert done > 0
    home.must("accept", offer["metadata"]["name"])
    second = until(lambda: contract(home, "moving", "Active"))
    assert second["metadata"]["name"] == offer["metadata"]["name"]
    (elsewhere,) = second["spec"]["hold"]["claims"][0]["cores"]
    assert elsewhere in others
    after_cpus = cpus(home, second["spec"]["hold"]["id"])
    assert after_cpus
    assert after_cpus.isdisjoint(before_cpus), "the kernel says so too"
    restored = until(restored_steps, what="it trains again")
    assert restored >= done, "nothing that it had told of was trained again"

    before = next(c for c in contracts(home, "moving") if c["metadata"]["name"] == first["metadata"]["name"])
    assert (before["status"]["phase"], before["status"]["endedBecause"]) == ("Ended", "Renegotiated")
    until(lambda: recount(home)[::2] == (True, 1), what=lambda: f"agreement, holds, runs: {recount(home)}")
