"""What the placement core is to reach on the published inputs, and whether a run's figures do. Pure: figures in, rows
out. The figures are those that each command gives with `-o json`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.placement.report import table

DEFAULT = "openb_pod_list_default"
CPU_LISTS = ("openb_pod_list_cpu100", "openb_pod_list_cpu250")


@dataclass(frozen=True, slots=True)
class Aim:
    """One row: the question, what is wanted, what the run gave, and whether that will do."""

    of: str
    wanted: str
    figure: str
    met: bool


def of_pack(figures: dict[str, Any]) -> list[Aim]:
    lists = {found["tasks"]: found for found in figures["lists"]}
    aims = []
    for level in (100, 130):
        lead = {name: _placed(found, "ours", level) - _placed(found, "fgd", level) for name, found in lists.items()}
        name, least = _least(lead)
        aims.append(
            Aim(f"pack: points ahead of FGD at {level}, least", "> 0", f"{least:+.2f} ({_short(name)})", least > 0)
        )
    name, points = _least({name: found["furthest_behind_fgd"]["points"] for name, found in lists.items()})
    at = lists[name]["furthest_behind_fgd"]["level"]
    aims.append(
        Aim(
            "pack: furthest behind FGD, any level",
            ">= -0.2",
            f"{points:+.2f} ({_short(name)} at {at})",
            points >= -0.2,
        )
    )
    closed = {name: 100 * found["gap_closed_100"] for name, found in lists.items()}
    aims.append(
        _at_least("pack: gap to the limit closed at 100, mean", 55.0, sum(closed.values()) / len(closed), "", "%")
    )
    for label, wanted, names in (
        ("least of the lists but cpu", 35.0, [name for name in closed if name not in CPU_LISTS]),
        ("least of the cpu lists", 25.0, [name for name in closed if name in CPU_LISTS]),
    ):
        name, least = _least({name: closed[name] for name in names})
        aims.append(_at_least(f"pack: gap closed, {label}", wanted, least, _short(name), "%"))
    for name, peers in figures["peers_vs_published"].items():
        points = peers["fgd"]["points"]
        aims.append(
            Aim(f"pack: our FGD off its published curve, {_short(name)}", "<= 0.3", f"{points:.2f}", points <= 0.3)
        )
    return aims


def of_power(figures: dict[str, Any]) -> list[Aim]:
    lists = {found["tasks"]: found["policies"]["ours"] for found in figures["lists"]}
    default = lists.pop(DEFAULT)
    placed = default["placed_of_requested_100"]
    each = {name: 100 * facts["saved_per_placed_device_20_80"] for name, facts in lists.items()}
    name, least = _least(each)
    return [
        _at_least("power: saved on default, mean of 20 to 80", 14.0, 100 * default["saved_20_80"], "", "%"),
        _at_least("power: saved on default at 80", 12.5, 100 * default["saved"]["80"], "", "%"),
        Aim("power: placed of asked on default at 100", ">= 0.957", f"{placed:.4f}", placed >= 0.957),
        _at_least("power: saved a placed device, least of the others", 9.0, least, _short(name), "%"),
    ]


def of_promises(runs: Sequence[dict[str, Any]]) -> list[Aim]:
    ours = [run["rows"]["ours"] for run in runs]
    broken = sum(row["broken"] for row in ours)
    jobs, work = min(row["jobs_pct"] for row in ours), min(row["gpu_time_pct"] for row in ours)
    return [
        Aim("promises: broken", "0", f"{broken:.0f}", broken == 0),
        Aim("promises: jobs kept", "> 85 %", f"{jobs:.1f} %", jobs > 85),
        Aim("promises: GPU-minutes kept", "> 88 %", f"{work:.1f} %", work > 88),
    ]


def of_gangs(runs: Sequence[dict[str, Any]]) -> list[Aim]:
    ours = _mean(run["rows"]["ours"]["occupied_pct"] for run in runs)
    blind = _mean(run["rows"]["limit: blind, no penalty"]["occupied_pct"] for run in runs)
    below = 100 * (1 - ours / blind)
    return [Aim("gangs: occupied, below topology-blind", "<= 1 %", f"{below:.2f} %", below <= 1)]


def of_kueue(runs: Sequence[dict[str, Any]]) -> list[Aim]:
    longest = max(run["rows"]["ours"]["virtual_s"] for run in runs)
    return [Aim("gangs: 15,000 on 640 nodes, virtual time", "< 70 s", f"{longest:.1f} s", longest < 70)]


def of_scale(figures: dict[str, Any]) -> list[Aim]:
    """The worst of the seeds; growth is a seed's own, from its smallest fleet."""
    seeds: dict[int, list[dict[str, Any]]] = {}
    for row in figures["rows"]:
        seeds.setdefault(row.get("seed", 0), []).append(row)
    grows, start = 0.0, 0.0
    for rows in seeds.values():
        first, last = min(rows, key=_copies), max(rows, key=_copies)
        grows = max(grows, max(row["mean_cpu_ms"] for row in rows) / first["mean_cpu_ms"])
        start = max(start, (last["start_up_ms"] / last["machines"]) / (first["start_up_ms"] / first["machines"]))
    slowest = max(figures["rows"], key=lambda row: row["p99_cpu_ms"])
    heaviest = max(row["bytes_per_machine"] for row in figures["rows"])
    p99 = slowest["p99_cpu_ms"]
    where = f"x {slowest['copies']}" + (f", {slowest['p99_ms']:.2f} by the wall" if "p99_ms" in slowest else "")
    return [
        Aim("scale: time a decision grows, processor time", "<= 2 x", f"{grows:.2f} x", grows <= 2),
        Aim("scale: p99 a decision, processor time", "<= 1 ms", f"{p99:.2f} ms ({where})", p99 <= 1),
        Aim("scale: memory a machine", "<= 10 kB", f"{heaviest / 1000:.1f} kB", heaviest <= 10_000),
        Aim("scale: start-up a machine grows", "<= 1.25 x", f"{start:.2f} x", start <= 1.25),
    ]


def _copies(row: dict[str, Any]) -> int:
    return int(row["copies"])


def of_gang_scale(runs: Sequence[dict[str, Any]]) -> list[Aim]:
    times: dict[str, float] = {}
    for run in runs:
        for row, numbers in run["rows"].items():
            gangs = [value for key, value in numbers.items() if key.startswith("gang_1024") and "cpu" not in key]
            times[row] = max(*gangs, times.get(row, 0.0))
    aims = []
    for kind in dict.fromkeys(row.rpartition(", ")[0] for row in times):
        name = max((row for row in times if row.rpartition(", ")[0] == kind), key=lambda row: times[row])
        longest, size = times[name], name.rpartition(", ")[2]
        aims.append(
            Aim(f"scale: a gang of 1,024 GPUs, by {kind}", "< 50 ms", f"{longest:.1f} ms ({size})", longest < 50)
        )
    return aims


OF: dict[str, Callable[[Any], list[Aim]]] = {
    "pack": of_pack,
    "power": of_power,
    "promises": of_promises,
    "gangs": of_gangs,
    "kueue": of_kueue,
    "scale": of_scale,
    "gang_scale": of_gang_scale,
}
"""By the name of the command."""


def shown(aims: Sequence[Aim]) -> str:
    return table(
        ["aim", "wanted", "figure", ""],
        [[aim.of, aim.wanted, aim.figure, "met" if aim.met else "MISSED"] for aim in aims],
    )


def _placed(found: dict[str, Any], policy: str, level: int) -> float:
    return float(found["policies"][policy][f"allocated_{level}_pct"])


def _at_least(of: str, wanted: float, figure: float, where: str, unit: str) -> Aim:
    return Aim(of, f">= {wanted:g} {unit}", f"{figure:.1f} {unit}{f' ({where})' if where else ''}", figure >= wanted)


def _least(values: dict[str, float]) -> tuple[str, float]:
    name = min(values, key=lambda one: values[one])
    return name, values[name]


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _short(name: str) -> str:
    return name.removeprefix("openb_pod_list_")
