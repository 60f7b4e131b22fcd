"""Traces from files: each form by its header, whole or not at all."""

from pathlib import Path

import pytest

from tenure.cli.simulate.traces import Job, read_trace
from tenure.resources.problems import ProblemsFound

OURS = "name,arrival_s,duration_s,members,gpus,must,deadline_s\n"
OPENB = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time\n"
PHILLY = "job_id,num_gpu,submit_time,duration,expect_time_list,job_type\n"
ELASTICFLOW = "job_id,submission_time,num_gpu,duration,deadline\n"


def jobs(folder: Path, text: str) -> tuple[Job, ...]:
    path = folder / "trace.csv"
    path.write_text(text)
    return read_trace(path).jobs


def test_ours(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, OURS + "a,10,60,4,8,rack,100\n")
    assert (job.arrival_ms, job.duration_ms, job.deadline_ms) == (10_000, 60_000, 100_000)
    assert (job.members, job.gpus, job.must, job.gpu_total_milli) == (4, 8, "rack", 32_000)


def test_openb(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, OPENB + "pod,6000,12288,1,460,V100M16|V100M32,5,65\n")
    assert (job.cpu_milli, job.gpus, job.gpu_milli) == (6000, 1, 460)
    assert job.models == ("V100M16", "V100M32")
    assert job.duration_ms == 60_000


def test_philly_counts_in_minutes_and_leaves_out_rows_without_gpus(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, PHILLY + "7,4,10,20,30,strict\n8,0,1,2,3,strict\n")
    assert (job.members, job.gpus) == (4, 1)
    assert (job.arrival_ms, job.duration_ms, job.deadline_ms) == (600_000, 1_200_000, 2_400_000)


def test_what_is_soft_has_no_deadline(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, PHILLY + "7,4,10,20,30-40,soft\n")
    assert job.deadline_ms is None


def test_elasticflow(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, ELASTICFLOW + "x,100,16,50,200\n")
    assert (job.members, job.arrival_ms, job.duration_ms, job.deadline_ms) == (16, 100_000, 50_000, 200_000)


def test_jobs_come_in_order_of_arrival(tmp_path: Path) -> None:
    assert [job.name for job in jobs(tmp_path, OURS + "late,9,1,,1,,\nearly,1,1,,1,,\n")] == ["early", "late"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (OURS + "a,soon,60,1,1,,\n", "row 2, column arrival_s"),
        (OURS + "a,0,0,1,1,,\n", "row 2, column duration_s"),
        (OURS + "a,0,1,1,1,shelf,\n", "row 2, column must"),
        (OURS + "a,100,60,1,1,,50\n", "row 2, column deadline_s"),
        (OURS + "a,0,1,1,99999999999999999999,,\n", "row 2, column gpus"),
        (OURS + "a,0,1,1000000000,1,,\n", "row 2, column members"),
        (OURS + "a,0,1,1,20000,,\n", "row 2, column gpus"),
        (PHILLY + "1,1000000000,1,1,1,strict\n", "row 2, column num_gpu"),
        (OPENB + "p,1,1,1,0,,0,1\n", "row 2, column gpu_milli"),
        (OPENB + "p,1,1,0,xx,,0,1\n", "row 2, column gpu_milli"),
        (OPENB + "p,1,1,2,500,,0,1\n", "row 2, column gpu_milli"),
        (OPENB + "p,1,1,1,500,,9,5\n", "row 2, column deletion_time"),
        (OURS + "a,0,60,1,1,,0\n", "row 2, column deadline_s"),
        (ELASTICFLOW + "1,0,1,1,0\n", "row 2, column deadline"),
        (PHILLY + "1,1,1,1,5,Strict\n", "row 2, column job_type"),
        (OURS + "a,0,1,1,1,,\na,0,1,1,1,,\n", "row 3, column name"),
        (OURS + ",0,1,1,1,,\n", "row 2, column name"),
        (OPENB + "p,1,1,0,0,,0,1\np,1,1,0,0,,0,1\n", "row 3, column name"),
        (PHILLY + ",1,1,1,5,strict\n", "row 2, column job_id"),
        (ELASTICFLOW + "x,0,1,1,\nx,0,1,1,\n", "row 3, column job_id"),
        (PHILLY + "1,1,1,x,,strict\n", "row 2, column duration"),
        (PHILLY + "1,1,1,1,soon,strict\n", "row 2, column expect_time_list"),
        (PHILLY + "1,1,1,1,,strict\n", "row 2, column expect_time_list"),
        (PHILLY + "1,1,1,1,-5,strict\n", "row 2, column expect_time_list"),
        (ELASTICFLOW + "1,1,-1,1,1\n", "row 2, column num_gpu"),
        (ELASTICFLOW + "1,100,1,1,100\n", "row 2, column deadline"),
        ("one,two\n1,2\n", "row 1"),
    ],
)
def test_what_cannot_be_read_says_where(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(ProblemsFound) as found:
        jobs(tmp_path, text)
    assert where in str(found.value)
    assert found.value.problems[0].source.endswith("trace.csv")
