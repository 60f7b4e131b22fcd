"""H12: what is scarce (power, machines) and where work may stand are decided in one answer; relaxing either changes it.

One site: its racks differ in machines and power, its place is asserted by somebody.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.requirements.fleets import gang, hopper, house_of
from tests.requirements.home import House

pytestmark = pytest.mark.real
COUNTER_OFFERED, INFEASIBLE = 6, 5
EU = "  residency: {jurisdictions: [EU]}\n"
TOGETHER = "  topology: {must: [{share: rack}]}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three racks of members of 6 kW: two machines and power for one, one machine, three machines and power for
    two."""
    rows = [hopper(f"a-{n}", "rack-a", rack_power="10kW") for n in range(2)]
    rows += [hopper("b-0", "rack-b", rack_power="45kW")]
    rows += [hopper(f"c-{n}", "rack-c", rack_power="15kW") for n in range(3)]
    with house_of(tmp_path_factory.mktemp("jointly"), *rows) as made:
        yield made


def stands_in(home: House, country: str) -> None:
    home.must("site", "assert", "simulated", "--country", country, "--by", "the landlord")


def asked(home: House, *, members: int = 2, rules: str = EU) -> tuple[int, dict[str, Any]]:
    path = gang(home, f"need-{members}", members=members, gpus=8, more=TOGETHER + rules)
    said = home.tenure("ask", "-f", path, "-o", "json")
    return said.code, said.json["answer"]


def rack_of(answer: dict[str, Any]) -> str:
    quote = answer["quotes"][0]
    assert quote["meetsInFull"]
    return str(next(p["value"] for p in quote["promises"]["hard"] if p["what"] == "shared"))


def give(home: House, rack: str, power: str) -> None:
    site = home.must("get", "site", "simulated", "-o", "json").json
    budgets = [part | ({"power": power} if part["domain"] == rack else {}) for part in site["spec"]["budgets"]]
    said = {k: site[k] for k in ("apiVersion", "kind")} | {"metadata": {"name": "simulated"}}
    home.must("apply", "-f", home.manifest(f"{rack}-{power}", json.dumps(said | {"spec": {"budgets": budgets}})))


def test_the_one_rack_is_found_that_has_the_machines_the_power_and_the_right_ground(home: House) -> None:
    stands_in(home, "DE")
    code, answer = asked(home)
    assert code == 0
    assert rack_of(answer) == "rack rack-c"


def test_twin_with_less_power_there_none_is_left_and_the_rule_of_place_stands_in_what_is_offered(home: House) -> None:
    stands_in(home, "DE")
    give(home, "rack-c", "10kW")
    try:
        code, answer = asked(home)
    finally:
        give(home, "rack-c", "15kW")
    assert code == COUNTER_OFFERED
    # Neither the power of one rack alone nor the wish to share a rack: both together.
    assert {"power:rack-a", "power:rack-c"} <= set(answer["refusal"]["conflicting"])
    assert [r["axis"] for r in answer["quotes"][0]["relaxed"]] == ["less"]


def test_twin_elsewhere_the_same_power_is_refused_by_the_rule_and_nothing_is_offered_instead(home: House) -> None:
    stands_in(home, "US")
    for members in (2, 3):  # within the power there is, and beyond it
        code, answer = asked(home, members=members)
        assert code == INFEASIBLE
        assert answer["refusal"]["binding"]["constraint"] == "residency: EU"
        assert not answer.get("quotes")


def test_relaxing_either_gives_another_answer(home: House) -> None:
    stands_in(home, "US")
    code, answer = asked(home, rules="")
    assert (code, rack_of(answer)) == (0, "rack rack-c"), "without the rule of place the power there serves"
    stands_in(home, "DE")
    give(home, "rack-a", "15kW")
    try:
        code, answer = asked(home)
    finally:
        give(home, "rack-a", "10kW")
    assert (code, rack_of(answer)) == (0, "rack rack-a"), "with power there the rack that fits exactly is taken"
