"""Levels of a site: named by its machines, asked for by work, and what bandwidth the site says that they carry."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from tenure.controllers.answering.answer import answer
from tenure.controllers.answering.chosen import unkept_of
from tenure.controllers.answering.explicit import wanted_of
from tenure.controllers.answering.refusal import refusal_of
from tenure.ledger.convert import RESERVE
from tenure.placement import Calendar, Core, Fleet, FleetMachine, MemoryNode, capacity, fewer_members
from tenure.resources import Workload
from tenure.resources.kinds.answer import Answer, Chosen
from tenure.resources.kinds.workload import WorkloadSpec
from tenure.resources.problems import problems_of
from tests.controllers.builders import NOW_MS, knowledge, measured, need
from tests.controllers.builders import spec as inference
from tests.controllers.fleets import demand_of, fleet, gang, machines_of, planned, refused
from tests.placement.builders import GIB, hold

LEVELS = ("nvlinkDomain", "rail", "leaf", "spine", "rack", "row", "feed")
PLACES = "nvlink_domain,rail,leaf,spine,rack,row,feed"


@pytest.mark.parametrize("level", LEVELS)
def test_members_share_any_level_that_machines_name(level: str, tmp_path: Path) -> None:
    together = ",".join("one" if name == level else f"a{n}" for n, name in enumerate(LEVELS))
    apart = ",".join("other" if name == level else f"b{n}" for n, name in enumerate(LEVELS))
    on = fleet(tmp_path, PLACES, f"m-0,{apart}", f"m-1,{together}", f"m-2,{together}")
    assert level in on.level_names()
    found = planned(on, gang(topology={"must": [{"share": level}]}))
    assert machines_of(found) == {"m-1", "m-2"}
    binding = refused(on, gang(3, topology={"must": [{"share": level}]})).binding
    assert (binding.constraint, binding.needed, binding.available) == (f"level:{level}", 3, 2)


@pytest.mark.parametrize("level", LEVELS)
def test_any_level_may_have_a_budget(level: str, tmp_path: Path) -> None:
    places = ",".join(f"d{n}" for n, _ in enumerate(LEVELS))
    budget = {"level": level, "named": [{"name": "licence:x", "limit": 1}]}
    on = fleet(tmp_path, PLACES, f"m-0,{places}", budgets=[budget])
    binding = refused(on, gang(1, 1, draws=[{"budget": "licence:x", "amount": 2}])).binding
    assert binding.constraint == f"licence:x:d{LEVELS.index(level)}"


def test_a_power_feed_that_cuts_across_racks_is_what_binds(tmp_path: Path) -> None:
    rows = [f"m-{n},rack-{n // 2},feed-{n % 2},1kW,8kW" for n in range(4)]
    on = fleet(tmp_path, "rack,feed,gpu_power,rated_power", *rows, budgets=[{"level": "feed", "power": "8kW"}])
    planned(on, gang(2))
    binding = refused(on, gang(3)).binding
    assert binding.constraint in ("power:feed-0", "power:feed-1")
    assert (binding.available, binding.unit) == (8_000_000, "mW")
    report = capacity(on, Calendar(), "simulated", at_ms=0)
    assert report.binding is not None
    assert (report.members, report.binding.kind) == (16, "power")


def test_a_minimum_between_members_is_met_inside_a_level_that_is_declared_to_carry_it(tmp_path: Path) -> None:
    rows = ("m-0,r-0,l-0", "m-1,r-1,l-1", "m-2,r-2,l-1", "m-3,r-3,l-1")
    levels = [{"level": "leaf", "bandwidth": "50GB/s"}, {"level": "site", "bandwidth": "10GB/s"}]
    on = fleet(tmp_path, "rack,leaf", *rows, levels=levels)
    found = planned(on, gang(2, topology={"must": [{"linkBandwidthMin": "50GB/s"}]}))
    assert machines_of(found) < {"m-1", "m-2", "m-3"}
    assert len(machines_of(planned(on, gang(4, topology={"must": [{"linkBandwidthMin": "10GB/s"}]})))) == 4
    no = refused(on, gang(4, topology={"must": [{"linkBandwidthMin": "400Gb/s"}]}))
    assert (no.binding.constraint, no.binding.needed, no.binding.available) == ("link", 4, 3)
    assert "inside one leaf" in no.binding.hint
    fewer = fewer_members(
        on, Calendar(), demand_of(on, gang(4, topology={"must": [{"linkBandwidthMin": "50GB/s"}]})), now_ms=0
    )
    assert fewer is not None
    assert fewer.demand.roles[0].count == 3


def test_a_minimum_that_no_level_is_known_to_carry_is_refused_with_both_figures(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", "m-0,r", "m-1,r", levels=[{"level": "rack", "bandwidth": "50GB/s"}])
    said = refusal_of(refused(on, gang(2, topology={"must": [{"linkBandwidthMin": "100GB/s"}]})), []).binding
    assert said.message == "link: 100GB/s needed, 50GB/s available, 50GB/s in all"
    unknown = fleet(tmp_path, "rack", "m-0,r", "m-1,r")
    assert refused(unknown, gang(2, topology={"must": [{"linkBandwidthMin": "1GB/s"}]})).binding.constraint == "link"


def test_a_lone_member_has_no_link_to_another_one(tmp_path: Path) -> None:
    planned(fleet(tmp_path, "rack", "m-0,r"), gang(1, topology={"must": [{"linkBandwidthMin": "1TB/s"}]}))


def test_how_far_apart_the_nodes_of_a_member_may_lie_can_be_said(tmp_path: Path) -> None:
    on = fleet(tmp_path, "numa_nodes", "m-0,2")
    planned(on, gang(1, 8))
    planned(on, gang(1, 4, topology={"must": [{"numaDistanceMax": 10}]}))
    near = refused(on, gang(1, 8, topology={"must": [{"numaDistanceMax": 10}]}, cores=5))
    assert near.binding.constraint.startswith("topology")
    with pytest.raises(ValidationError):
        gang(1, topology={"must": [{"numaDistanceMax": 9}]})


def test_a_minimum_between_members_may_be_preferred(tmp_path: Path) -> None:
    rows = ("m-0,r-0,l-0", "m-1,r-0,l-1", "m-2,r-1,l-1", "m-3,r-1,l-2")
    levels = [{"level": "rack", "bandwidth": "10GB/s"}, {"level": "leaf", "bandwidth": "50GB/s"}]
    on = fleet(tmp_path, "rack,leaf", *rows, levels=levels)
    wish = {"linkBandwidthMin": "50GB/s"}
    required = planned(on, gang(2, topology={"must": [wish]}))
    preferred = planned(on, gang(2, topology={"prefer": [wish]}))
    assert machines_of(preferred) == machines_of(required) == {"m-1", "m-2"}
    (told,) = unkept_of(planned(on, gang(2, topology={"must": [{"share": "rack"}], "prefer": [wish]})))
    assert (told.preference, told.asked, told.found) == ("linkBandwidth", "at least 50GB/s", "10GB/s")
    (told,) = unkept_of(planned(on, gang(4, topology={"prefer": [wish]})))
    assert told.found == "not known, Site.spec.levels declares no bandwidth of a level that they share"
    assert unkept_of(planned(on, gang(1, topology={"prefer": [wish]}))) == []


def test_what_is_not_known_is_told_with_who_would_say_it(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", "m-0,r", "m-1,r", "m-2,")
    wishes = {"prefer": [{"share": "rack"}, {"spread": "row"}]}
    told = unkept_of(planned(on, gang(3, topology=wishes)))
    assert [one.found for one in told] == [f"not known, not every machine there names a {at}" for at in ("rack", "row")]
    (told_,) = unkept_of(planned(on, gang(1, 0, devices=[], topology={"prefer": [{"share": "l3"}]})))
    assert told_.found == "not known, as the machine's profile leaves it out"


def test_one_member_with_a_reserve_has_no_link_to_miss(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", "m-0,r", "m-1,r")
    found = planned(on, gang(2, topology={"prefer": [{"linkBandwidthMin": "1GB/s"}]}))
    assert [one.preference for one in unkept_of(found)] == ["linkBandwidth"]
    work, other = found.claims
    assert unkept_of(replace(found, claims=(work, replace(other, role=RESERVE)))) == []


def test_a_core_is_shared_with_nobody_and_a_wish_for_it_is_told() -> None:
    wanted = wanted_of(inference(topology={"prefer": [{"share": "core"}]}))
    known = replace(knowledge(need(), [measured([20.0] * 9, threads=2)]), wanted=wanted)
    (quote, *_) = answer(known, of_two_nodes(2), Calendar(), "g", NOW_MS).answer.quotes
    assert quote.chosen is not None
    assert [(one.preference, one.asked) for one in quote.chosen.unmet] == [("core", "one core")]


def test_an_answer_that_only_names_what_it_does_not_keep_is_still_read() -> None:
    (told,) = Chosen.model_validate({"unmet": ["spread:rack"]}).unmet
    assert (told.preference, told.asked, told.found) == ("spread:rack", "not recorded", "not recorded")


def test_each_level_that_is_preferred_is_told_where_it_is_not_kept(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rail,rack", "m-0,l-0,r-0", "m-1,l-0,r-1")
    told = unkept_of(planned(on, gang(2, topology={"prefer": [{"share": "rack"}, {"share": "rail"}]})))
    assert [(one.preference, one.asked, one.found) for one in told] == [("level:rack", "one rack", "2")]


def test_how_far_apart_the_nodes_of_a_member_lie_may_be_preferred(tmp_path: Path) -> None:
    on = fleet(tmp_path, "numa_nodes", "m-0,2", "m-1,2")
    # Two GPUs of either node are left on m-0, all of them on m-1.
    taken = Calendar.of([hold(on="m-0", end=9**9, devices=dict.fromkeys(("gpu-0", "gpu-1", "gpu-4", "gpu-5"), 1000))])
    near: dict[str, list[dict[str, object]]] = {"prefer": [{"numaDistanceMax": 10}]}
    assert machines_of(planned(on, gang(1, 4), taken)) == {"m-0"}
    assert machines_of(planned(on, gang(1, 4, topology=near), taken)) == {"m-1"}
    assert machines_of(planned(on, gang(1, 4, topology={"prefer": [{"share": "numaNode"}]}), taken)) == {"m-1"}
    (told,) = unkept_of(planned(on, gang(1, 8, topology=near), taken))
    assert (told.preference, told.asked, told.found) == ("numaDistance", "at most 10", "20")
    (told,) = unkept_of(planned(on, gang(1, 8, topology={"prefer": [{"share": "numaNode"}]}), taken))
    assert (told.preference, told.asked, told.found) == ("numaNode", "one numaNode", "2")


def test_of_several_roles_each_is_told_that_does_not_keep_it(tmp_path: Path) -> None:
    on = fleet(tmp_path, "numa_nodes", "m-0,2", "m-1,2")
    each = [{"name": name, "cores": 1, "devices": [{"class": "gpu", "count": n}]} for name, n in (("a", 4), ("b", 8))]
    spec = gang(1, topology={"prefer": [{"numaDistanceMax": 10}]})
    both = type(spec).model_validate({**spec.to_json(), "resources": {"roles": each}})
    (told,) = unkept_of(planned(on, both))
    assert (told.preference, told.role, told.found) == ("numaDistance", "b", "20")


@pytest.mark.parametrize(
    ("topology", "path", "said", "step"),
    [
        (
            {"prefer": [{"linkBandwidthMin": "1GB/s", "numaDistanceMax": 10}]},
            "spec.topology.prefer[0]",
            "name exactly one of share, spread, linkBandwidthMin and numaDistanceMax",
            "split linkBandwidthMin and numaDistanceMax into a rule each",
        ),
        (
            {"must": [{"linkBandwidthMin": "1GB/s"}, {"linkBandwidthMin": "2GB/s"}]},
            "spec.topology",
            "must names linkBandwidthMin more than once",
            "leave one rule with linkBandwidthMin in must",
        ),
        (
            {"must": [{"numaDistanceMax": 10}], "numaDistanceMax": 20},
            "spec.topology",
            "numaDistanceMax stands in must and beside it",
            "leave the rule in must, and numaDistanceMax beside it out",
        ),
        (
            {"anything": 10},
            "spec.topology.anything",
            "unknown field; known here: linkBandwidthMin, must, numaDistanceMax, prefer",
            "tenure explain workload.spec.topology",
        ),
    ],
)
def test_what_is_no_rule_is_refused_with_path_and_step(
    topology: dict[str, object], path: str, said: str, step: str
) -> None:
    content = {"apiVersion": "tenure.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "w"}}
    content["spec"] = {**gang(2).to_json(), "topology": topology}
    with pytest.raises(ValidationError) as refused:
        Workload.model_validate(content)
    (problem,) = problems_of(refused.value, Workload, content, "workload")
    assert (problem.path, problem.message) == (path, said)
    assert step in problem.next_step


@pytest.mark.parametrize("rule", [{"numaDistanceMax": 10}, {"linkBandwidthMin": "1GB/s"}])
def test_a_rule_in_the_older_form_is_one_of_must_and_stays_as_it_was_written(rule: dict[str, object]) -> None:
    older = gang(2, topology={**rule, "prefer": [rule]})
    assert wanted_of(older) == wanted_of(gang(2, topology={"must": [rule], "prefer": [rule]}))
    assert wanted_of(older) != wanted_of(gang(2, topology={"prefer": [rule]}))
    assert older.to_json()["topology"] == {**rule, "must": [], "prefer": [rule]}


def test_more_may_be_preferred_than_must_be_and_what_must_be_may_be_preferred_too() -> None:
    both = {"must": [{"linkBandwidthMin": "10GB/s"}], "prefer": [{"linkBandwidthMin": "50GB/s"}]}
    wanted = wanted_of(gang(2, topology=both))
    assert (wanted.link_bytes_per_s_min, wanted.preferred_link_bytes_per_s_min) == (10**10, 5 * 10**10)
    gang(2, topology={"must": both["prefer"], "prefer": both["must"]})


def of_two_nodes(cores_each: int) -> Fleet:
    nodes = tuple(MemoryNode(node, GIB) for node in range(2))
    cores = tuple(Core(n, n // cores_each, n // cores_each) for n in range(2 * cores_each))
    return Fleet.of([FleetMachine("m", "local", cores, nodes)])


@pytest.mark.parametrize("rule", [{"numaDistanceMax": 10}, {"share": "numaNode"}])
def test_what_was_measured_lies_where_its_need_says_too(rule: dict[str, object]) -> None:
    def said(cores_each: int, **topology: object) -> Answer:
        wanted = wanted_of(inference(topology=topology))
        known = replace(knowledge(need(), [measured([20.0] * 9, threads=2)]), wanted=wanted)
        return answer(known, of_two_nodes(cores_each), Calendar(), "g", NOW_MS).answer

    assert said(2, must=[rule]).kind == "Offers"
    apart = said(1, prefer=[rule])
    assert apart.kind == "Offers"
    assert apart.quotes[0].chosen is not None
    assert [one.preference for one in apart.quotes[0].chosen.unmet] == [rule.get("share", "numaDistance")]
    refused_ = said(1, must=[rule])
    assert refused_.refusal is not None
    assert refused_.refusal.binding.constraint.startswith("topology:")


def test_a_job_that_names_no_resources_lies_where_it_says_too() -> None:
    job = WorkloadSpec.model_validate(
        {"command": {}, "run": {"command": ["x"]}, "topology": {"must": [{"share": "numaNode"}, {"share": "rack"}]}}
    )
    wanted = wanted_of(job)
    assert (wanted.requires, wanted.required_levels) == (frozenset({"numa"}), ("rack",))
