"""The aims of the placement benchmarks: figures in, one row an aim, met or missed; only published inputs are judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.placement import aims
from benchmarks.placement.concluding import concluded, kept
from benchmarks.placement.published import are


def packed(name: str, ours: float, fgd: float, closed: float, behind: float = 0.0) -> dict[str, Any]:
    policies = {"ours": ours, "fgd": fgd}
    return {
        "tasks": f"openb_pod_list_{name}",
        "gap_closed_100": closed,
        "furthest_behind_fgd": {"points": behind, "level": 95},
        "policies": {
            policy: {"allocated_100_pct": placed, "allocated_130_pct": placed} for policy, placed in policies.items()
        },
    }


def pack(*lists: dict[str, Any], published: dict[str, float] | None = None) -> dict[str, Any]:
    off = {name: {"fgd": {"points": points}} for name, points in (published or {}).items()}
    return {"lists": list(lists), "peers_vs_published": off}


GOOD = (packed("default", 96.1, 95.2, 0.6), packed("cpu250", 94.8, 93.2, 0.5), packed("multigpu50", 97.6, 97.1, 0.56))


def powered(name: str, saved: float, at_80: float = 0.13, placed: float = 0.961) -> dict[str, Any]:
    ours = {
        "saved_20_80": saved,
        "saved_per_placed_device_20_80": saved,
        "saved": {"80": at_80},
        "placed_of_requested_100": placed,
    }
    return {"tasks": f"openb_pod_list_{name}", "policies": {"ours": ours}}


def scaled(copies: int, mean_ms: float, p99_ms: float = 0.9, start_ms: float = 1.0) -> dict[str, Any]:
    return {
        "copies": copies,
        "machines": 1000 * copies,
        "mean_cpu_ms": mean_ms,
        "p99_cpu_ms": p99_ms,
        "bytes_per_machine": 2100.0,
        "start_up_ms": start_ms * copies,
    }


def run(**rows: dict[str, float]) -> list[dict[str, Any]]:
    return [{"rows": rows}]


def missed(rows: list[aims.Aim]) -> list[str]:
    return [row.of for row in rows if not row.met]


def test_packing_that_reaches_all_its_aims_misses_none() -> None:
    assert missed(aims.of_pack(pack(*GOOD, published={"openb_pod_list_default": 0.2}))) == []


@pytest.mark.parametrize(
    ("lists", "published", "said"),
    [
        ((*GOOD, packed("gpushare40", 94.0, 94.1, 0.9)), {}, "points ahead of FGD at 100"),
        ((*GOOD, packed("gpushare40", 94.2, 94.1, 0.9, -0.21)), {}, "furthest behind FGD"),
        ((*GOOD, packed("gpushare40", 94.8, 94.0, 0.34)), {}, "least of the lists but cpu"),
        ((*GOOD, packed("cpu100", 96.0, 95.0, 0.24)), {}, "least of the cpu lists"),
        ((*GOOD, packed("multigpu20", 96.0, 95.0, 0.40)), {}, "mean"),
        (GOOD, {"openb_pod_list_gpuspec10": 0.36}, "off its published curve, gpuspec10"),
    ],
)
def test_each_aim_of_packing_is_missed_by_its_own_figure(
    lists: tuple[dict[str, Any], ...], published: dict[str, float], said: str
) -> None:
    assert any(said in of for of in missed(aims.of_pack(pack(*lists, published=published))))


def test_our_fgd_is_checked_against_its_published_curve_on_every_list() -> None:
    checked = {"openb_pod_list_default": 0.1, "openb_pod_list_gpuspec33": 0.2}
    rows = aims.of_pack(pack(*GOOD, published=checked))
    assert [row.of for row in rows][-2:] == [
        "pack: our FGD off its published curve, default",
        "pack: our FGD off its published curve, gpuspec33",
    ]


@pytest.mark.parametrize(
    ("lists", "wrong"),
    [
        ((powered("default", 0.141), powered("cpu250", 0.10)), []),
        ((powered("default", 0.139), powered("cpu250", 0.10)), ["power: saved on default, mean of 20 to 80"]),
        ((powered("default", 0.141, at_80=0.121), powered("cpu250", 0.10)), ["power: saved on default at 80"]),
        (
            (powered("default", 0.141, placed=0.9569), powered("cpu250", 0.1)),
            ["power: placed of asked on default at 100"],
        ),
        ((powered("default", 0.141), powered("cpu250", 0.08)), ["power: saved a placed device, least of the others"]),
    ],
)
def test_watts_are_judged_on_default_and_a_placed_device_on_the_others(
    lists: tuple[dict[str, Any], ...], wrong: list[str]
) -> None:
    assert missed(aims.of_power({"lists": list(lists)})) == wrong


def test_one_broken_promise_is_a_miss_whatever_was_kept() -> None:
    kept_most = {"broken": 1, "jobs_pct": 99.0, "gpu_time_pct": 99.0}
    assert missed(aims.of_promises(run(ours=kept_most))) == ["promises: broken"]


def test_gangs_may_leave_one_percent_of_what_blind_placement_occupies() -> None:
    blind = {"limit: blind, no penalty": {"occupied_pct": 80.0}}
    assert missed(aims.of_gangs(run(ours={"occupied_pct": 79.3}, **blind))) == []
    assert missed(aims.of_gangs(run(ours={"occupied_pct": 79.1}, **blind))) == ["gangs: occupied, below topology-blind"]
    assert missed(aims.of_kueue(run(ours={"virtual_s": 70.0}))) != []


def test_scale_is_judged_by_growth_tail_memory_and_start_up() -> None:
    assert missed(aims.of_scale({"rows": [scaled(1, 0.3), scaled(16, 0.5)]})) == []
    grown = {"rows": [scaled(1, 0.3), scaled(16, 0.7, p99_ms=1.1, start_ms=1.5)]}
    assert missed(aims.of_scale(grown)) == [
        "scale: time a decision grows, processor time",
        "scale: p99 a decision, processor time",
        "scale: start-up a machine grows",
    ]


def test_a_gang_is_judged_by_its_slowest_fleet_on_columns_and_by_plan() -> None:
    rows = {
        "columns, 776 nodes": {"small_p99_ms": 90.0, "gang_1024_by_8_ms": 1.0, "gang_1024_by_1_ms": 2.0},
        "plan, empty, 776 nodes": {"gang_1024_by_8_ms": 10.0, "gang_1024_by_1_ms": 12.0},
        "plan, empty, 12416 nodes": {"gang_1024_by_8_ms": 30.0, "gang_1024_by_1_ms": 49.0, "gang_1024_by_1_cpu_ms": 99},
        "plan, wholly held, 776 nodes": {"gang_1024_by_8_ms": 51.0, "gang_1024_by_1_ms": 10.0},
    }
    assert [(row.figure, row.met) for row in aims.of_gang_scale(run(**rows))] == [
        ("2.0 ms (776 nodes)", True),
        ("49.0 ms (12416 nodes)", True),
        ("51.0 ms (776 nodes)", False),
    ]


def test_each_seed_of_the_scale_is_measured_against_its_own_smallest_fleet() -> None:
    seeds = [{**scaled(copies, mean), "seed": seed} for seed, copies, mean in ((1, 1, 0.4), (1, 16, 0.7), (2, 1, 0.1))]
    assert missed(aims.of_scale({"rows": [*seeds, {**scaled(16, 0.15), "seed": 2}]})) == []
    assert missed(aims.of_scale({"rows": [*seeds, {**scaled(16, 0.3), "seed": 2}]})) != []


def test_inputs_are_the_published_ones_by_content_and_all_together(tmp_path: Path) -> None:
    (tmp_path / "renamed.csv").write_text("a\n")
    (tmp_path / "other.csv").write_text("b\n")
    one = {"a.csv": "87428fc522803d31"}
    assert are([tmp_path / "renamed.csv"], one)
    assert not are([tmp_path / "other.csv"], one)
    assert not are([tmp_path / "renamed.csv", tmp_path / "other.csv"], one)


def test_a_missed_aim_is_the_exit_status_of_a_published_run_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(ours={"virtual_s": 71.0})
    assert concluded("kueue", figures, published=True, output="table", keep=None) == 1
    assert "MISSED" in capsys.readouterr().out
    assert concluded("kueue", figures, published=True, output="json", keep=None) == 1
    assert capsys.readouterr().out == ""
    assert concluded("kueue", figures, published=False, output="table", keep=None) == 0
    assert capsys.readouterr().out == ""


def test_kept_figures_are_left_to_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    figures = run(ours={"virtual_s": 71.0})
    assert concluded("kueue", figures, published=True, output="table", keep=path) == 0
    assert [row.met for row in kept(path) or []] == [False]
    assert concluded("kueue", figures, published=False, output="table", keep=path) == 0
    assert kept(path) is None
    assert json.loads(path.read_text())["figures"] == figures
