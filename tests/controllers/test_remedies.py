"""The ladder: the cheapest rung that helps, judged by what follows, at rest when it did not help."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from tenure.controllers.contract.reserve import claim_now, cores_now, held_back, reserve_after
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import AGAIN_AFTER_FAILING_WINDOWS, next_rung, outcome_of
from tenure.controllers.remedies.limits import RestoreLimits
from tenure.controllers.remedies.situation import Intruder, Situation
from tenure.controllers.remedies.taking import ADDING, LADDER
from tenure.measurement.kernel import Cause
from tenure.quantities import Bytes, Instant
from tenure.resources import Contract
from tenure.resources.kinds.allocation import Claim
from tenure.resources.kinds.contract import ContractStatus
from tenure.resources.kinds.standing import ReadBackFact, RemedyStep
from tests.controllers.test_judging import a_contract

WINDOW_MS = 1000
INTRUDER = Intruder(77, 1, "miner", (1,), 0.9)
MEMORY = ReadBackFact(what="memory", expected="1Gi", found="512Mi", source="memory.max", agrees=False)
NODES = ReadBackFact(what="memoryNodes", expected="1", found="0-1", source="/proc", agrees=False)


def chosen(situation: Situation, *taken: RemedyStep, now_ms: int = 10**6) -> str | None:
    found = next_rung(LADDER, situation, taken, now_ms, WINDOW_MS)
    return found[0].name if found else None


def step(rung: str, outcome: str, finished_ms: int | None = 10**6) -> RemedyStep:
    finished = None if finished_ms is None else Instant(finished_ms)
    return RemedyStep(rung=rung, cause="c", started_at=Instant(0), finished_at=finished, outcome=outcome)


@pytest.mark.parametrize(
    ("situation", "rung"),
    [
        (Situation(intruders=(INTRUDER,)), "repin"),
        (Situation(differing=(MEMORY,)), "restore-limits"),
        (Situation(differing=(NODES,)), "restore-limits"),
        (Situation(causes=(Cause("Throttled", 0.4, "its quota held it back"),)), "restore-limits"),
        (Situation(healthy=False), "restart"),
        (Situation(stuck=True), "restart"),
        (Situation(), None),
    ],
)
def test_each_rung_has_its_condition(situation: Situation, rung: str | None) -> None:
    assert chosen(situation) == rung


LATENCY = "interTokenLatency.p95"
SLOW = Situation(broken=2, breaking=LATENCY, missed=2, missing=LATENCY, spare=(1,))
WAITED = Cause("WaitedForCpu", 0.6, "its threads were ready and had no CPU for 60% of the time")


class TestAddCapacity:
    """What is held back is brought in where the CPU lacks, and only there."""

    def test_a_core_that_gives_too_little_is_made_up_for(self) -> None:
        assert chosen(SLOW) == "add-capacity"

    def test_the_cause_names_what_lacked(self) -> None:
        found = next_rung(LADDER, replace(SLOW, causes=(WAITED,)), [], 0, WINDOW_MS)
        assert found is not None
        expected = "interTokenLatency.p95 was broken in 2 of its newest windows; its threads were ready and had no CPU"
        assert found[1].cause.startswith(expected)

    def test_what_costs_less_comes_first(self) -> None:
        assert chosen(replace(SLOW, intruders=(INTRUDER,))) == "repin"
        assert chosen(replace(SLOW, intruders=(INTRUDER,)), step("repin", "DidNotHelp")) == "add-capacity"

    @pytest.mark.parametrize(
        "situation",
        [
            replace(SLOW, spare=()),  # none is held, or it is in use already
            replace(SLOW, broken=1, missed=1),
            replace(SLOW, breaking="availability"),  # requests fail although there is CPU
        ],
    )
    def test_it_is_left_alone_where_it_would_not_help(self, situation: Situation) -> None:
        assert chosen(situation) is None

    def test_a_process_that_is_stuck_is_restarted_instead(self) -> None:
        assert chosen(replace(SLOW, healthy=False)) == "restart"
        assert chosen(replace(SLOW, stuck=True)) == "restart"
        a_little = replace(WAITED, share=0.02)
        assert chosen(replace(SLOW, stuck=True, causes=(a_little,))) == "restart", "every thread waits now and then"

    def test_work_that_answers_nobody_because_it_gets_no_cpu_is_not_stuck(self) -> None:
        starved = replace(SLOW, missed=0, stuck=True, causes=(WAITED,))
        assert chosen(starved) == "add-capacity"
        assert chosen(starved, step("add-capacity", "DidNotHelp")) == "restart"

    def test_availability_that_lacks_cpu_is_helped(self) -> None:
        assert chosen(replace(SLOW, breaking="availability", causes=(WAITED,))) == "add-capacity"

    def test_latency_that_is_broken_most_is_helped_and_named_though_more_windows_measured_availability(self) -> None:
        """Answers that never came broke the latency too, and leave no figure of it."""
        found = next_rung(LADDER, replace(SLOW, broken=8, missing="availability", missed=6), [], 0, WINDOW_MS)
        assert found is not None
        assert (found[0].name, found[1].cause) == (
            "add-capacity",
            "interTokenLatency.p95 was broken in 8 of its newest windows",
        )

    def test_a_step_that_did_not_help_rests(self) -> None:
        assert chosen(SLOW, step("add-capacity", "DidNotHelp")) is None


class Recording:
    """A machine whose core N has the CPUs N and N + 2, and an engine that only remembers where it moved a run."""

    def __init__(self, numa_nodes: int = 1) -> None:
        self.engine = self
        self.numa_nodes = range(numa_nodes)
        self.moves: list[tuple[int, ...]] = []
        self.nodes: list[object] = []
        self.limits: list[int | None] = []

    async def topology(self, machine: str) -> "Recording":
        return self

    def cpus_of(self, cores: list[int]) -> tuple[int, ...]:
        return tuple(sorted(cpu for core in cores for cpu in (core, core + 2)))

    def move_to(self, run_id: str, cpus: tuple[int, ...], memory_nodes: object = None) -> None:
        self.moves.append(tuple(cpus))
        self.nodes.append(memory_nodes)

    def set_limits(self, run_id: str, *, memory_bytes: int | None, cpu_quota_milli: int | None) -> None:
        self.limits.append(memory_bytes)


class TestReserve:
    """Which cores the run may use follows from the status alone, which is written with the step."""

    def contract(self, *steps: RemedyStep) -> Contract:
        made = a_contract()
        hold = made.spec.hold.model_copy(
            update={
                "claims": [Claim(machine="m", cores=[0], memory=1), Claim(machine="m", cores=[1], purpose="reserve")]
            }
        )
        made = made.model_copy(update={"spec": made.spec.model_copy(update={"hold": hold})})
        status = ContractStatus(phase="Active", remedies=list(steps), reserve=reserve_after(made, steps))
        return made.model_copy(update={"status": status})

    def test_it_is_held_back_until_the_step_is_written(self) -> None:
        made = self.contract()
        assert (cores_now(made), held_back(made)) == ([0], (1,))
        assert claim_now(made).cores == [0], "which the kernel is asked to confirm"

    def test_from_then_on_the_run_may_use_it_whether_the_act_was_done_or_is_repeated_after_a_crash(self) -> None:
        made = self.contract(step("add-capacity", "InProgress", None))
        assert (cores_now(made), held_back(made)) == ([0, 1], ())
        assert claim_now(made).cores == [0, 1]
        assert made.status is not None
        assert made.status.reserve is not None
        assert made.status.reserve.because == "c"

    def test_it_stays_in_use_once_it_helped_also_when_the_step_is_no_longer_shown(self) -> None:
        made = self.contract(step("add-capacity", "Helped"))
        assert cores_now(made) == [0, 1]
        assert reserve_after(made, [step("repin", "Helped")]) == made.status.reserve if made.status else None

    def test_where_it_did_not_help_it_is_held_back_again(self) -> None:
        made = self.contract(step("add-capacity", "DidNotHelp"))
        assert (cores_now(made), held_back(made)) == ([0], (1,))

    def test_the_act_gives_the_run_both_cores_and_can_be_repeated_undoing_it_leaves_the_own_ones(self) -> None:
        plane = Recording()
        made = self.contract(step("add-capacity", "InProgress", None))
        for _ in range(2):
            said = asyncio.run(ADDING.act(cast(Plane, plane), made, SLOW))
            assert said == "it may use cores 0, 1"
        asyncio.run(ADDING.undo(cast(Plane, plane), made))
        assert plane.moves == [(0, 1, 2, 3), (0, 1, 2, 3), (0, 2)]

    def test_one_on_another_machine_is_nothing_that_could_be_brought_in_here(self) -> None:
        made = self.contract()
        away = made.spec.hold.claims[1].model_copy(update={"machine": "n"})
        hold = made.spec.hold.model_copy(update={"claims": [made.spec.hold.claims[0], away]})
        made = made.model_copy(update={"spec": made.spec.model_copy(update={"hold": hold})})
        assert held_back(made) == ()


class TestRestoreLimits:
    """What the kernel holds the work to is the contract's again."""

    def did(self, *differing: ReadBackFact) -> tuple[Recording, str]:
        plane, made = Recording(numa_nodes=2), a_contract()
        claim = Claim(machine="m", cores=[1], memory=Bytes(2**30), memory_nodes=[1])
        hold = made.spec.hold.model_copy(update={"claims": [claim]})
        made = made.model_copy(update={"spec": made.spec.model_copy(update={"hold": hold})})
        return plane, asyncio.run(RestoreLimits().act(cast(Plane, plane), made, Situation(differing=differing)))

    def test_a_limit_is_set_again_and_memory_stays_where_it_is(self) -> None:
        plane, said = self.did(MEMORY)
        assert (plane.limits, plane.moves, said) == ([2**30], [], "memory limit 1Gi, no quota")

    def test_memory_that_is_bound_elsewhere_is_bound_to_the_nodes_of_the_contract(self) -> None:
        plane, said = self.did(NODES)
        assert (plane.moves, plane.nodes) == ([(1, 3)], [(1,)])
        assert said == "memory limit 1Gi, no quota, memory on nodes 1"


def test_the_cheapest_rung_that_helps_comes_first() -> None:
    assert chosen(Situation(intruders=(INTRUDER,), healthy=False)) == "repin"


def test_the_cause_names_the_intruder_and_what_it_took() -> None:
    found = next_rung(LADDER, Situation(intruders=(INTRUDER,)), [], 0, WINDOW_MS)
    assert found is not None
    assert found[1].cause == "process 77 (miner) used 90% of the contracted core"


def test_nothing_new_is_tried_while_a_step_is_being_judged() -> None:
    assert chosen(Situation(healthy=False), step("repin", "InProgress", None)) is None


def test_a_rung_that_did_not_help_rests_and_the_next_one_is_tried() -> None:
    situation = Situation(intruders=(INTRUDER,), healthy=False)
    assert chosen(situation, step("repin", "DidNotHelp")) == "restart"
    rested = 10**6 + AGAIN_AFTER_FAILING_WINDOWS * WINDOW_MS
    assert chosen(situation, step("repin", "DidNotHelp"), now_ms=rested) == "repin"


@pytest.mark.parametrize(
    ("kept", "failed", "outcome"),
    [
        (0, 0, "InProgress"),
        (1, 0, "InProgress"),
        (2, 0, "Helped"),
        (2, 1, "InProgress"),
        (4, 1, "Helped"),
        (0, 3, "DidNotHelp"),
    ],
)
def test_a_step_is_judged_by_the_windows_that_began_after_it(kept: int, failed: int, outcome: str) -> None:
    assert outcome_of(kept, failed) == outcome
