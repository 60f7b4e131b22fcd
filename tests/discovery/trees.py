"""File facts for tests: a system as a dictionary of paths, and recorded trees unpacked once."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tenure.discovery import FileFacts
from tenure.discovery.allowed import V1_FILES, V2_FILES
from tenure.discovery.wanted import HARDWARE

CPU, NODE, PCI = "sys/devices/system/cpu", "sys/devices/system/node", "sys/bus/pci/devices"


def facts_of(texts: dict[str, str], links: dict[str, str] | None = None, root: str = "/recorded") -> FileFacts:
    """Facts that hold these files and links, with the folders that follow from them."""
    entries: dict[str, set[str]] = {}
    for path in (*texts, *(links or {})):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            entries.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
    folders = {folder: tuple(sorted(names)) for folder, names in entries.items()}
    return FileFacts(root=root, texts=dict(texts), folders=folders, links=dict(links or {}))


def cpu_files(count: int, *, siblings: int = 1, packages: int = 1) -> dict[str, str]:
    """`count` cores; SMT siblings are numbered behind all cores, packages take equal shares."""
    files: dict[str, str] = {}
    for core in range(count):
        cpus = [core + count * at for at in range(siblings)]
        for cpu in cpus:
            files[f"{CPU}/cpu{cpu}/topology/core_cpus_list"] = ",".join(map(str, cpus))
            files[f"{CPU}/cpu{cpu}/topology/physical_package_id"] = str(core * packages // count)
    return files


def unpacked(archive: Path, into: Path) -> Path:
    """The root inside a recorded archive. Files that no scan reads stay packed, which saves most of the time."""
    read = {name for want in HARDWARE for name in want.names} | {*V1_FILES, *V2_FILES}
    with tarfile.open(archive) as tar:
        members = [member for member in tar if not member.isfile() or member.name.rpartition("/")[2] in read]
        if hasattr(tarfile, "tar_filter"):  # before Python 3.11.4 there is no such argument
            tar.extractall(into, members, filter="tar")
        else:
            tar.extractall(into, members)
    return next(path.parent for path in into.glob("*/proc"))
