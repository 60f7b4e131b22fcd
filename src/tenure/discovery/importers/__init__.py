"""Importers: other tools' files as the nouns of `tenure.topology`.

hwloc XML of versions 2 and 3 becomes a whole machine; `nvidia-smi -q -x` becomes GPUs. They promise to read what such
tools really write, to call what a file does not carry unknown, and to raise `ImportedFileError` for anything else.
"""

from tenure.discovery.importers.hwloc_document import ImportedFileError, parse_hwloc, read_hwloc
from tenure.discovery.importers.hwloc_xml import import_hwloc, understand_hwloc
from tenure.discovery.importers.nvidia_smi import SmiDocument, import_nvidia_smi, parse_nvidia_smi

__all__ = [
    "ImportedFileError",
    "SmiDocument",
    "import_hwloc",
    "import_nvidia_smi",
    "parse_hwloc",
    "parse_nvidia_smi",
    "read_hwloc",
    "understand_hwloc",
]
