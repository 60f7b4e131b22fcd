"""The harness: malformed inputs are named, the peer is the published one, the limit is a limit."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.placement.figures import ints, json_of
from benchmarks.placement.grid import Ours, counts_until
from benchmarks.placement.peers import replayed_as_published
from benchmarks.placement.protocol import arrivals, replay
from benchmarks.placement.traces import TraceError, read_fleet, read_tasks
from tests.placement.packing.fleets import MIXED, cpu_only, share, whole
from tests.support.data import data_dir

from tenure.placement.packing import Watts

FLEET = "sn,cpu_milli,memory_mib,gpu,model\n"
TASKS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FLEET + "a,1000,10,1,T4\nb,many,10,1,T4\n", "row 3: column cpu_milli: not a whole number: 'many'"),
        (FLEET + "a,1000,10,1,T4\na,1000,10,1,T4\n", "row 3: column sn"),
        (FLEET + "a,1000,10,1,\n", "row 2: column model"),
        (FLEET + "a,1000,-10,1,T4\n", "row 2: column memory_mib: negative"),
        (FLEET + "a,1000\n", "row 2: 5 columns expected"),
        ("sn,cpu_milli\n", "missing column memory_mib, gpu, model"),
        (FLEET, "no machines"),
    ],
)
def test_a_malformed_fleet_is_an_error_that_names_row_and_column(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "fleet.csv"
    path.write_text(text)
    with pytest.raises(TraceError) as raised:
        read_fleet(path)
    assert said in str(raised.value)
    assert str(raised.value).startswith("fleet.csv: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TASKS + "a,1000,10,1,2000\n", "row 2: columns num_gpu, gpu_milli"),
        (TASKS + "a,1000,10,2,500\n", "row 2: columns num_gpu, gpu_milli"),
        (TASKS + "a,1000,10,0,0\n", "no task asks for a device"),
    ],
)
def test_a_malformed_task_list_likewise(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "tasks.csv"
    path.write_text(text)
    with pytest.raises(TraceError, match=r"^tasks\.csv: ") as raised:
        read_tasks(path)
    assert said in str(raised.value)


def test_tasks_need_no_column_of_models_and_come_sorted_by_name(tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    path.write_text(TASKS + "b,2000,1,1,500\na,1000,1,0,0\n")
    assert [task.cpu_milli for task in read_tasks(path)] == [1000, 2000]


def test_arrivals_ask_for_thirteen_tenths_of_capacity_whatever_the_list() -> None:
    for tasks in ([share(500), cpu_only(3)] * 3, [whole(1)] * 60):
        inputs = arrivals(MIXED, tasks, seed=7)
        asked = int(inputs.classes.device_milli[inputs.order].sum())
        assert 1.3 * MIXED.device_milli <= asked < 1.3 * MIXED.device_milli + 1001


def test_a_seed_list_reads_as_written() -> None:
    assert ints("42-44,7") == [42, 43, 44, 7]
    for text, said in (("9-7", "9-7 counts backwards; write 7-9"), ("x", "no whole number"), ("1-", "no whole number")):
        with pytest.raises(argparse.ArgumentTypeError, match=said):
            ints(text)


def test_nothing_places_more_than_the_limit() -> None:
    pytest.importorskip("highspy", reason="the extra `solver` is not installed")
    from benchmarks.placement.limit import Limit

    inputs = arrivals(MIXED, [share(810), share(470, 2), share(320), whole(1, 4), whole(2, 2), cpu_only(3)], seed=3)
    watts = Watts.published(MIXED.models)
    ours = replay(inputs, lambda state, classes, _counts, _seed: Ours(state, classes, watts), watts, 3)
    limit = Limit(inputs.fleet, inputs.classes)
    order, counts = counts_until(inputs, 130)
    most, fair = limit.placed_pct(counts), limit.unrefused_pct(order)
    assert np.nanmax(ours.allocated_pct) <= most + 1e-6
    assert fair <= most + 1e-6


LISTS = (
    *("default", "cpu100", "cpu250", "gpushare40", "gpushare100"),
    *("gpuspec10", "gpuspec33", "multigpu20", "multigpu50"),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTS)
def test_fgd_is_the_published_one_within_three_tenths_of_a_point(name: str) -> None:
    data = data_dir("openb")
    given = argparse.Namespace(
        fleet=data / "openb_node_list_gpu_node.csv",
        tasks=[data / f"openb_pod_list_{name}.csv"],
        published=data / "fgd_expected_alloc_pct.csv",
        seeds=[42, 43, 44, 45],
        processes=1,
    )
    (told,) = replayed_as_published(given).values()
    assert told["fgd"]["points"] <= 0.3, told


def test_a_figure_that_there_is_none_of_is_null_in_json() -> None:
    figures = {"gap": float("nan"), "lists": [{"mean": np.float64("inf")}, (1.5, "a")]}
    assert json.loads(json_of(figures)) == {"gap": None, "lists": [{"mean": None}, [1.5, "a"]]}
