"""The XML that hwloc's `lstopo` writes, versions 2 and 3, as plain nested objects. Reading text, no more.

Source: hwloc's own writer (topology-xml.c) and DTD. What changed in version 3: an OS device's type became a bit mask,
a cache's and NUMA node's subtype moved from infos to attributes, and infos of the whole topology stand beside the tree.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DOCUMENT_BYTES_MAX = 64 << 20
DEPTH_MAX = 200

STORAGE, MEMORY, GPU, COPROCESSOR, NETWORK, RDMA, DMA = 1, 2, 4, 8, 16, 32, 64

_FROM_VERSION_2 = {0: STORAGE, 1: GPU, 2: NETWORK, 3: RDMA, 4: DMA, 5: COPROCESSOR, 6: MEMORY}
"""hwloc 2's enumeration of OS device types as the bits of version 3."""


class ImportedFileError(ValueError):
    """A file that cannot be taken for what it should be; the text says where and why."""


@dataclass(slots=True)
class HwlocObject:
    """One object of the tree: its type, attributes, infos and children in the order of the file."""

    type: str
    attributes: Mapping[str, str]
    infos: dict[str, str] = field(default_factory=dict)
    children: list[HwlocObject] = field(default_factory=list)

    @property
    def os_index(self) -> int | None:
        text = self.attributes.get("os_index", "")
        return int(text) if text.isdecimal() else None

    @property
    def subtype(self) -> str:
        return self.attributes.get("subtype", "") or self.infos.get("Type", "")

    def below(self) -> Iterator[HwlocObject]:
        """The object and everything below it, in the order of the file."""
        yield self
        for child in self.children:
            yield from child.below()


@dataclass(frozen=True, slots=True)
class HwlocDistances:
    """A matrix: the objects by (type, number), whether these numbers are the operating system's, and rows of values."""

    name: str
    objects: tuple[tuple[str, int], ...]
    by_os_index: bool
    values: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class HwlocKind:
    """A kind of CPU: its set as a mask, its efficiency (higher is faster) where told, its infos."""

    cpuset: str
    efficiency: int | None
    infos: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HwlocDocument:
    """A whole file. ``version`` is 2 or 3."""

    version: int
    machine: HwlocObject
    infos: Mapping[str, str]
    distances: tuple[HwlocDistances, ...]
    kinds: tuple[HwlocKind, ...]


def read_hwloc(path: str | Path) -> HwlocDocument:
    """A file as a document. Raises ImportedFileError."""
    where = Path(path)
    try:
        if where.stat().st_size > DOCUMENT_BYTES_MAX:
            raise ImportedFileError(f"{where}: larger than {DOCUMENT_BYTES_MAX >> 20} MiB, which no topology is")
        data = where.read_bytes()
    except OSError as error:
        raise ImportedFileError(f"{where}: {(error.strerror or str(error)).lower()}") from error
    return parse_hwloc(data, str(where))


def parse_hwloc(data: bytes, where: str = "topology") -> HwlocDocument:
    """A document from its bytes. Raises ImportedFileError, also for entities, which no such file has."""
    root = parsed(data, where)
    if root.tag != "topology":
        raise ImportedFileError(f"{where}: the outermost element is <{root.tag}>, not hwloc's <topology>")
    version = root.get("version", "1").partition(".")[0]
    if version not in ("2", "3"):
        raise ImportedFileError(f"{where}: hwloc XML of version {version}; versions 2 and 3 are read")
    top = root.find("object")
    if top is None or top.get("type") != "Machine":
        raise ImportedFileError(f"{where}: there is no Machine in it")
    machine = _object(top, 2 if version == "2" else 3, where, 0)
    return HwlocDocument(
        version=int(version),
        machine=machine,
        infos={**machine.infos, **_infos(root)},
        distances=tuple(_distances(root, where)),
        kinds=tuple(_kinds(root)),
    )


def parsed(data: bytes, where: str) -> ElementTree.Element:
    """The root element. Raises ImportedFileError for bad XML and for entity declarations."""
    if b"<!ENTITY" in data:
        raise ImportedFileError(f"{where}: declares entities, which is not accepted")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the latter two: encodings that are not known
        raise ImportedFileError(f"{where}: not well-formed XML: {error}") from error


def _object(element: ElementTree.Element, version: int, where: str, depth: int) -> HwlocObject:
    if depth > DEPTH_MAX:
        raise ImportedFileError(f"{where}: objects nest deeper than {DEPTH_MAX}")
    found = HwlocObject(element.get("type", ""), dict(element.attrib), _infos(element))
    if version == 2 and found.attributes.get("osdev_type", "").isdecimal():
        bits = _FROM_VERSION_2.get(int(found.attributes["osdev_type"]), 0)
        found.attributes = {**found.attributes, "osdev_type": str(bits)}
    found.children = [_object(child, version, where, depth + 1) for child in element if child.tag == "object"]
    return found


def _infos(element: ElementTree.Element) -> dict[str, str]:
    return {info.get("name", ""): info.get("value", "") for info in element if info.tag == "info"}


def _distances(root: ElementTree.Element, where: str) -> Iterator[HwlocDistances]:
    for element in root:
        if element.tag not in ("distances2", "distances2hetero"):
            continue
        named = _words(element, "indexes")
        sort = element.get("type", "")
        try:
            objects = tuple(_indexed(word, sort) for word in named)
            flat = [int(word) for word in _words(element, "u64values")]
        except ValueError as error:
            raise ImportedFileError(f"{where}: distances {element.get('name')!r} hold no numbers") from error
        size = len(objects)
        if len(flat) != size * size:
            raise ImportedFileError(f"{where}: distances {element.get('name')!r} are no square of {size}")
        rows = tuple(tuple(flat[at * size : (at + 1) * size]) for at in range(size))
        yield HwlocDistances(element.get("name", ""), objects, element.get("indexing") == "os", rows)


def _words(element: ElementTree.Element, tag: str) -> list[str]:
    return [word for part in element if part.tag == tag for word in (part.text or "").split()]


def _indexed(word: str, sort: str) -> tuple[str, int]:
    named, colon, number = word.rpartition(":")
    return (named, int(number)) if colon else (sort, int(word))


def _kinds(root: ElementTree.Element) -> Iterator[HwlocKind]:
    for element in root:
        if element.tag == "cpukind":
            told = element.get("forced_efficiency", "")
            yield HwlocKind(element.get("cpuset", ""), int(told) if told.isdecimal() else None, _infos(element))
