"""Which inputs are the published ones, known by their content: aims are stated for those and judge nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

OPENB_FLEET = {"openb_node_list_gpu_node.csv": "2beca64b4d3dfa34"}
OPENB_LISTS = {
    "openb_pod_list_cpu100.csv": "bec1c33fbdde61fd",
    "openb_pod_list_cpu250.csv": "134c21ff96d57533",
    "openb_pod_list_default.csv": "1ee7ed79c27a3b08",
    "openb_pod_list_gpushare100.csv": "12dbc07d6a49bf86",
    "openb_pod_list_gpushare40.csv": "d83ce79a4eb69875",
    "openb_pod_list_gpuspec10.csv": "2dc7e4cb9480484f",
    "openb_pod_list_gpuspec33.csv": "eca4f746db1e5b25",
    "openb_pod_list_multigpu20.csv": "d9ec6f6c74fb980c",
    "openb_pod_list_multigpu50.csv": "206f2f5959db30ec",
}
OPENB_DEFAULT = {name: digest for name, digest in OPENB_LISTS.items() if "default" in name}
PHILLY = {"trace_job_Philly_SLO.csv": "180fd7db3eeabe5d"}
ELASTICFLOW = {
    "cluster01.csv": "599c2b80cea7b3d4",
    "cluster03.csv": "c8ddeebae6a586b4",
    "cluster05.csv": "10be53b70dca8052",
    "cluster07.csv": "e0fa937ebfab3f6e",
    "cluster10.csv": "e54ba1d74228d02d",
}
GAVEL = {"simulation_throughputs.json": "17111f7295f03265"}
KUEUE = {"generator.yaml": "c18b7329937c37ce"}
OPENB_SEEDS = list(range(42, 52))


def are(files: Iterable[Path], published: dict[str, str]) -> bool:
    """Whether the files are exactly the published ones, whatever their names here: all of them, and no other."""
    return sorted(_digest(path) for path in files) == sorted(published.values())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
