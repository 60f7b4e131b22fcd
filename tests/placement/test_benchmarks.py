"""The benchmarks on small inputs of their own: figures come out, files that are wrong are named by row and column."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from benchmarks.placement import calendar, gang_scale, gangs, kueue, promises
from benchmarks.placement.timed_traces import TimedJob, gpus_of, philly_jobs
from benchmarks.placement.traces import TraceError

PHILLY = "job_id,num_gpu,submit_time,duration,expect_time_list,best_effort\n"


def jobs(count: int = 60) -> list[TimedJob]:
    draw = random.Random(3)
    made = []
    for number in range(count):
        submit, length = number * 2, draw.randint(3, 30)
        made.append(TimedJob(f"j{number}", submit, draw.choice([1, 1, 2, 8]), length, submit + 2 * length))
    return made


def test_promises_are_all_kept_and_no_policy_beats_the_limit() -> None:
    figures = promises.run(jobs(), 16, 42, limit=True, bucket=10)
    assert figures.rows["ours"]["broken"] == 0
    limit = figures.rows["fluid limit"]
    for name in ("ours", "EDF-skip", "laxity-skip", "FIFO"):
        assert figures.rows[name]["jobs_pct"] <= limit["jobs_pct"] + 0.01
        assert figures.rows[name]["gpu_time_pct"] <= limit["gpu_time_pct"] + 0.01


def test_gangs_stay_tight_and_every_policy_places_all_work() -> None:
    tree = gangs.fleet_tree(8, [("rail", 2), ("rack", 4)])
    figures = gangs.run(gangs.squeezed(jobs(), 32, 0.8, 1), tree, [4] * 8, {2: 0.5}, 1)
    assert figures.rows["ours"]["tight_pct"] >= figures.rows["topology-blind"]["tight_pct"]
    assert figures.rows["limit: blind, no penalty"]["throughput_pct"] == 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("job_id,num_gpu\n1,2\n", "row 1: no column submit_time"),
        (PHILLY + "1,4,5,6,7,0\n2,x,5,6,7,0\n", "row 3, column num_gpu"),
        (PHILLY + "1,4,5,0,7,0\n", "row 2, column duration"),
        (PHILLY + "1,4,5,6,,0\n", "row 2, column expect_time_list: empty"),
    ],
)
def test_a_malformed_trace_is_refused_whole(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(TraceError, match=said):
        philly_jobs(path)


def test_a_fleet_is_said_by_its_size_or_read_from_a_table_of_its_columns(tmp_path: Path) -> None:
    table = tmp_path / "fleet.csv"
    table.write_text("sn,cpu_milli,memory_mib,gpu,model\na,1000,1,8,X\nb,1000,1,0,\nc,1000,1,4,Y\n")
    assert gpus_of("3x8") == [8, 8, 8]
    assert gpus_of(str(table)) == [8, 4]


def test_a_malformed_fleet_is_refused() -> None:
    with pytest.raises(TraceError, match="NODESxGPUS"):
        gpus_of("120")


def test_kueue_scenario_without_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "generator.yaml").write_text("cohorts: [{count: 1}]\n")
    with pytest.raises(TraceError, match="no key"):
        kueue.read_scenario(tmp_path)


def test_gangs_and_questions_to_the_calendar_are_timed_on_the_machines_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "nodes.csv"
    rows = "".join(f"n{n},{4000 * (n + 1)},1024,{gpus},X\n" for n, gpus in enumerate([8, 0, 2, 8]))
    file.write_text("sn,cpu_milli,memory_mib,gpu,model\n" + rows)
    assert gang_scale.machines_of(file) == [8, 2, 8]
    for held in gang_scale.HELD.values():
        assert gang_scale.on_plan([8, 2, 8], held, 1)["gpus"] == 18
    assert gang_scale.on_plan([8, 2, 8], gang_scale.HELD["wholly held"], 1, out=1)["gpus"] == 18
    assert sum(gang_scale.openb_copied(1)) == 6212
    assert gang_scale.on_columns([8, 2, 8], 1)["gpus"] == 18
    fleet = calendar.fleet_of(calendar.machines_of(file))
    assert [len(machine.cores) for machine in fleet.machines] == [4, 8, 12, 16]
    assert calendar.asked(64, 1, fleet)["walk"] > 0
    with pytest.raises(SystemExit):
        calendar.machines_of(tmp_path / "none.csv")
