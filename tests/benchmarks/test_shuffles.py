"""Arrivals as the published programme draws them: Go's own numbers, and its rules of inflation."""

import argparse
from pathlib import Path

import numpy as np
from benchmarks.placement.peers import curve, replayed_as_published
from benchmarks.placement.shuffles import GoRandom, as_published

from tests.placement.packing.fleets import MIXED, cpu_only, share, whole


def test_it_draws_what_go_draws() -> None:
    random = GoRandom(42)
    assert [random.int63(), random.int63()] == [3440579354231278675, 608747136543856411]
    assert random.permutation(12) == [1, 8, 5, 7, 11, 4, 0, 9, 3, 2, 6, 10]
    values = list(range(12))
    random.shuffle(values)
    assert values == [2, 3, 10, 4, 1, 0, 8, 9, 6, 11, 5, 7]
    assert [random.below(limit) for limit in (1000, 1024, 7)] == [861, 218, 2]


def test_tasks_are_cloned_until_the_next_would_ask_for_too_much_or_removed_until_enough_are_gone() -> None:
    few = as_published(MIXED, [share(500), cpu_only(3), whole(1)], 42)
    asked = int(few.classes.device_milli[few.order].sum())
    assert 1.3 * MIXED.device_milli - 1000 < asked <= 1.3 * MIXED.device_milli
    many = as_published(MIXED, [share(500)] * 60, 42)
    assert len(many.order) == 1.3 * MIXED.device_milli // 500
    assert sorted(few.fleet.names) == sorted(MIXED.names) != list(few.fleet.names)
    assert np.array_equal(few.order, as_published(MIXED, [share(500), cpu_only(3), whole(1)], 42).order)


def test_a_peer_is_compared_seed_by_seed_with_what_was_published(tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text("sn,cpu_milli,memory_mib,gpu,model\na,8000,8192,2,A\nb,8000,8192,4,B\n")
    (tmp_path / "lot.csv").write_text(
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,10,1,1,50\nb,10,1,1,40\nc,10,1,1,30\n"
    )
    fleet, tasks, published = tmp_path / "fleet.csv", tmp_path / "lot.csv", tmp_path / "published.csv"
    levels = (50, 100)
    rows = [[curve(fleet, tasks, seed)[level] for level in levels] for seed in (42, 43)]
    lines = [f"lot,06-FGD,{seed},{one},{other}" for seed, (one, other) in zip((42, 43), rows, strict=True)]
    published.write_text("\n".join(["workload,sc_policy,seed,50,100", *lines, "lot,06-FGD,44,0,0"]) + "\n")
    given = argparse.Namespace(fleet=fleet, tasks=[tasks], published=published, seeds=[42, 43, 7], processes=1)
    assert replayed_as_published(given)["lot"]["fgd"]["points"] < 1e-9
    given.seeds = [42, 44]
    assert replayed_as_published(given)["lot"]["fgd"]["points"] > 10, "twin: 44 was published otherwise"
