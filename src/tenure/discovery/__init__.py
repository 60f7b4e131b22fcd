"""Discovery: what this machine is, read from the running system or from a tree recorded elsewhere.

`scan(root)` gives an `ObservedMachine`. Reading (`reading`, `nvml`, `probe`) is apart from understanding, which is
pure; so recorded trees come through the same code. `importers` read other tools' files into the same nouns.

It promises that a fact that cannot be had is an `Unknown` with its reason, that no missing driver, file or permission
raises, and that a scan leaves nothing behind. It refuses to guess: a figure without a source is not invented.
"""

from tenure.discovery.nvml import NvidiaFacts, read_nvml
from tenure.discovery.reading import FileFacts, RootNotReadableError, Wanted, read_tree
from tenure.discovery.reserve import ReserveRule, reserved_for_system
from tenure.discovery.scan import read_facts, scan, understand

__all__ = [
    "FileFacts",
    "NvidiaFacts",
    "ReserveRule",
    "RootNotReadableError",
    "Wanted",
    "read_facts",
    "read_nvml",
    "read_tree",
    "reserved_for_system",
    "scan",
    "understand",
]
