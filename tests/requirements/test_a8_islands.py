"""A8: members that must share an island of fast GPU links do; with no island large enough the answer is a refusal."""

from collections.abc import Iterator

import pytest

from tests.requirements.fleets import gang, hopper, house_of
from tests.requirements.home import House

pytestmark = pytest.mark.real
COUNTER_OFFERED, INFEASIBLE = 6, 5
ISLAND = "  topology: {must: [{share: nvlinkDomain}]}\n"


@pytest.fixture(scope="module")
def islands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two machines of one island each, and one whose GPUs fall into two."""
    rows = (hopper("whole-0", "rack-0"), hopper("whole-1", "rack-0"), hopper("split", "rack-1", island=4))
    with house_of(tmp_path_factory.mktemp("islands"), *rows) as home:
        yield home


@pytest.fixture(autouse=True)
def emptied(islands: House) -> Iterator[None]:
    """What one test holds does not stand in the way of the next."""
    yield
    islands.must("delete", "workloads", "--all")
    islands.tenure("delete", "offers", "--all")  # they go by themselves, a little later


def claims(home: House, name: str) -> list[dict[str, object]]:
    offers = home.must("get", "offers", "-o", "json").json["items"]
    return next(o["spec"]["hold"]["claims"] for o in offers if o["spec"]["workload"]["name"] == name)


def test_a_group_that_must_share_an_island_is_never_split(islands: House) -> None:
    islands.must("request", "-f", gang(islands, "pair", members=2, gpus=4, more=ISLAND))
    assert len({claim["machine"] for claim in claims(islands, "pair")}) == 1
    assert all(str(claim["machine"]).startswith("whole") for claim in claims(islands, "pair"))


def test_what_is_promised_says_that_it_is_simulated_and_measured_by_nobody(islands: House) -> None:
    islands.must("request", "-f", gang(islands, "said", members=1, gpus=1))
    said = islands.must("why", "said", "-o", "json").json["answer"]["quotes"][0]["promises"]
    assert said["hard"][0]["what"] == "simulated"
    assert not said["statistical"]


def test_twin_with_no_island_large_enough_it_is_refused(islands: House) -> None:
    path = gang(islands, "wide", members=2, gpus=8, more=ISLAND)
    assert islands.tenure("request", "-f", path).code == COUNTER_OFFERED  # one member alone would lie in an island
    assert len(claims(islands, "wide")) == 1
    refusal = islands.must("why", "wide", "-o", "json").json["answer"]["refusal"]
    assert "level:nvlinkDomain" in {refusal["binding"]["constraint"], *refusal["conflicting"]}
    islands.must("delete", "workload", "wide")
    islands.tenure("delete", "offers", "--all")
    islands.must("request", "-f", gang(islands, "loose", members=2, gpus=8))
    assert islands.tenure("request", "-f", gang(islands, "one", members=1, gpus=16, more=ISLAND)).code == INFEASIBLE
