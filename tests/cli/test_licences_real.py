"""A licence through the door: declared, drawn, refused by name, contracted, reported, recounted."""

import json
from collections.abc import Iterator

import pytest

from tests.requirements.fleets import fleet, hopper
from tests.requirements.home import House

pytestmark = pytest.mark.real
COUNTER_OFFERED, INFEASIBLE = 6, 5
SOLVER = "licence:solver"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Four idle machines of eight GPUs, and five seats of a solver."""
    folder = tmp_path_factory.mktemp("licence")
    made = House(folder / "home")
    made.must("up", "--fleet", fleet(folder / "fleet.csv", *(hopper(f"m-{n}", "rack-0") for n in range(4))))
    declare(made, 5)
    try:
        yield made
    finally:
        made.close()


def declare(home: House, seats: int) -> None:
    site = home.must("get", "site", "simulated", "-o", "json").json
    spec = site["spec"] | {"named": [{"name": SOLVER, "limit": seats, "unit": "seats"}]}
    said = {k: site[k] for k in ("apiVersion", "kind")} | {"metadata": {"name": "simulated"}, "spec": spec}
    home.must("apply", "-f", home.manifest(f"seats-{seats}", json.dumps(said)))


def solving(home: House, name: str, members: int, budget: str = SOLVER) -> object:
    draws = f"[{{budget: '{budget}', amount: 2}}]"
    return home.manifest(
        name,
        f"apiVersion: tenure.dev/v1alpha1\nkind: Workload\nmetadata: {{name: {name}, namespace: default}}\n"
        f"spec:\n  batch: {{}}\n  run: {{command: [solve]}}\n  term: {{duration: 10m}}\n  resources:\n"
        f"    {{members: {members}, cores: 2, devices: [{{class: gpu}}], draws: {draws}}}\n",
    )


def test_one_that_nobody_declared_is_refused_by_its_name(home: House) -> None:
    said = home.tenure("request", "-f", solving(home, "stranger", 1, "licence:other"))
    assert said.code == INFEASIBLE
    assert "licence:other" in said.out + said.err


def test_more_than_there_is_is_refused_by_name_and_what_there_is_is_offered(home: House) -> None:
    assert home.tenure("request", "-f", solving(home, "wide", 3)).code == COUNTER_OFFERED
    answer = home.must("why", "wide", "-o", "json").json["answer"]
    assert answer["refusal"]["binding"]["constraint"] == SOLVER
    assert answer["quotes"][0]["relaxed"][0]["offered"] == "2"
    home.must("accept", answer["quotes"][0]["offer"])


def test_capacity_shows_it_and_names_it_as_what_binds(home: House) -> None:
    said = home.must("capacity", "--draw", f"{SOLVER}=2", "-o", "json").json
    assert said["verdict"] == f"{SOLVER}-bound"
    (limit,) = (limit for limit in said["limits"] if limit["kind"] == SOLVER)
    assert (limit["used"], limit["limit"], limit["unit"]) == (4, 5, "seats")


def test_the_recount_agrees(home: House) -> None:
    assert home.must("ledger", "check", "-o", "json").json["agrees"] is True


def test_twin_fewer_seats_than_are_held_are_found_overbooked(home: House) -> None:
    declare(home, 3)
    said = home.tenure("ledger", "check", "-o", "json")
    assert said.code == 1
    assert [(f["code"], f["subject"]) for f in said.json["findings"]] == [("BudgetOverbooked", f"budget/{SOLVER}")]
