"""Every placement benchmark on the recorded inputs, one after another; one that lacks its input says so.

python -m benchmarks.placement.all [--data FOLDER] [--seeds 42-51] [--processes 2] [--only pack,power]

At the end stands one table of every aim, its figure, and whether it was met; exit status 1 where one was not.

--quick runs everything on less: one seed, the default list, fewer copies and gangs. It shows that all of them run and
roughly what they say; the figures to be quoted come of the whole, and packing and power are judged by nothing less.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.placement import aims
from benchmarks.placement.concluding import kept

CHECKOUT = Path(__file__).resolve().parents[2]


def commands(data: Path, seeds: str, processes: int, quick: bool) -> dict[str, tuple[list[str], list[Path]]]:
    """By name: module and arguments, and the inputs that must be there."""
    openb = data / "openb"
    fleet = openb / "openb_node_list_gpu_node.csv"
    default = openb / "openb_pod_list_default.csv"
    lists = [default] if quick else sorted(openb.glob("openb_pod_list_*.csv"))
    every = [word for tasks in lists for word in ("--tasks", str(tasks))]
    common = ["--fleet", str(fleet), "--seeds", seeds, "--processes", str(processes)]
    published = openb / "fgd_expected_alloc_pct.csv"
    philly = data / "chronus-philly" / "trace_job_Philly_SLO.csv"
    gangs = sorted((data / "elasticflow").glob("cluster*.csv"))[: 1 if quick else None]
    gavel = data / "gavel" / "simulation_throughputs.json"
    tas = data / "kueue-perf" / "tas"
    scale = ["scale", "--fleet", str(fleet), "--tasks", str(default), "--seeds", "42"]
    spread = [] if quick else ["--seeds", "42-44"]
    weights = "0,1e-3" if quick else "0,1e-4,1e-3"
    return {
        "pack": (["pack", *common, *every, "--published", str(published)], [fleet, default, published]),
        "power": (["power", *common, *every], [fleet, default]),
        "trade-off": (["power", *common, "--tasks", str(default), "--weights", weights], [fleet, default]),
        "scale": ([*scale, *(["--copies", "1,4", "--no-peers"] if quick else [])], [fleet, default]),
        "promises": (["promises", "--tasks", str(philly), *(["--no-limit"] if quick else [])], [philly]),
        "gangs": (["gangs", "--tasks", *map(str, gangs), "--penalties", str(gavel), *spread], [gavel, *gangs[:1]]),
        "kueue": (["kueue", "--config", str(tas)], [tas]),
        "gang scale": (["gang_scale", *(["--nodes", "776,3104"] if quick else [])], []),
    }


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("TENURE_DATA", CHECKOUT.parent / "shared" / "data"))
    arguments.add_argument("--data", type=Path, default=default, help="folder of recorded inputs (or TENURE_DATA)")
    arguments.add_argument("--seeds", help="of packing and power; 42-51, or 42 with --quick")
    arguments.add_argument("--quick", action="store_true", help="everything, on less: minutes instead of an hour")
    arguments.add_argument("--processes", type=int, default=max(1, min(2, os.cpu_count() or 1)))
    arguments.add_argument("--only", default="", help="names, such as pack,power")
    given = arguments.parse_args()
    seeds = given.seeds or ("42" if given.quick else "42-51")
    every = commands(given.data, seeds, given.processes, given.quick)
    names = given.only.split(",") if given.only else list(every)
    with TemporaryDirectory() as folder:
        worst, rows = run_all({name: every[name] for name in every if name in names}, Path(folder))
    if rows:
        print(f"\n## aims\n{aims.shown(rows)}", flush=True)
    return worst or (0 if all(row.met for row in rows) else 1)


def run_all(chosen: dict[str, tuple[list[str], list[Path]]], folder: Path) -> tuple[int, list[aims.Aim]]:
    """Each in a process of its own; the worst exit status, and the aims of those whose inputs are as published."""
    worst = 0
    rows: list[aims.Aim] = []
    for place, (name, (words, inputs)) in enumerate(chosen.items()):
        absent = [path for path in inputs if not path.exists()]
        if absent:
            print(f"\n## {name}: left out, {absent[0]} is absent. Next: --data FOLDER", flush=True)
            continue
        print(f"\n## {name}", flush=True)
        keep = folder / f"{place}.json"
        command = [sys.executable, "-m", f"benchmarks.placement.{words[0]}", *words[1:], "--keep", str(keep)]
        done = subprocess.run(command, cwd=CHECKOUT)
        worst = max(worst, abs(done.returncode))
        rows += (kept(keep) or []) if done.returncode == 0 else []
    return worst, rows


if __name__ == "__main__":
    raise SystemExit(main())
