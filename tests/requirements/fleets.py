"""Fleets as files, small enough to reckon by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.requirements.home import House

HEADER = "sn,cpu_milli,memory_mib,gpu,model,rack,row,numa_nodes,island,gpu_power,rated_power,rack_power,rack_units"


def fleet(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def hopper(name: str, rack: str, *, island: int = 8, rack_power: str = "") -> str:
    """A machine of eight GPUs: 700 W each, 10.2 kW in all."""
    return f"{name},96000,2097152,8,H100,{rack},row-0,2,{island},700W,10.2kW,{rack_power},8"


@contextmanager
def house_of(folder: Path, *rows: str, header: str = HEADER) -> Iterator[House]:
    """A home that serves this fleet."""
    made = House(folder / "home")
    made.must("up", "--fleet", fleet(folder / "fleet.csv", *rows, header=header))
    try:
        yield made
    finally:
        made.close()


def gang(home: House, name: str, *, members: int, gpus: int, more: str = "") -> Path:
    """A gang of equal members that each take whole GPUs."""
    return home.manifest(
        name,
        f"apiVersion: tenure.dev/v1alpha1\nkind: Workload\nmetadata: {{name: {name}, namespace: default}}\n"
        f"spec:\n  training: {{}}\n  run: {{command: [train]}}\n  term: {{duration: 10m}}\n  resources:\n"
        f"    {{members: {members}, cores: 8, memory: 64Gi, devices: [{{class: gpu, count: {gpus}}}]}}\n{more}",
    )
