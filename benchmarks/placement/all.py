"""Every placement benchmark on the recorded inputs, one after another; one that lacks its input says so.

python -m benchmarks.placement.all [--data FOLDER] [--seeds 42-51] [--processes 2] [--only pack,power]

--quick runs everything on less: one seed, the default list, fewer copies and gangs. It shows that all of them run and
roughly what they say; the figures to be quoted come of the whole.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

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
    weights = "0,1e-3" if quick else "0,1e-4,1e-3"
    return {
        "pack": (["pack", *common, *every, "--published", str(published)], [fleet, default, published]),
        "power": (["power", *common, *every], [fleet, default]),
        "trade-off": (["power", *common, "--tasks", str(default), "--weights", weights], [fleet, default]),
        "scale": ([*scale, *(["--copies", "1,4", "--no-peers"] if quick else [])], [fleet, default]),
        "promises": (["promises", "--tasks", str(philly), *(["--no-limit"] if quick else [])], [philly]),
        "gangs": (["gangs", "--tasks", *map(str, gangs), "--penalties", str(gavel)], [gavel, *gangs[:1]]),
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
    worst = 0
    seeds = given.seeds or ("42" if given.quick else "42-51")
    for name, (words, inputs) in commands(given.data, seeds, given.processes, given.quick).items():
        if given.only and name not in given.only.split(","):
            continue
        absent = [path for path in inputs if not path.exists()]
        if absent:
            print(f"\n## {name}: left out, {absent[0]} is absent. Next: --data FOLDER", flush=True)
            continue
        print(f"\n## {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.placement.{words[0]}", *words[1:]], cwd=CHECKOUT)
        worst = max(worst, done.returncode)
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
