"""Reading, and nothing else: the files of a running system or of a recorded tree, as text or as the reason for none.

What understands these files gets a `FileFacts` value and does no I/O, so that a machine recorded elsewhere comes
through the very code that scans this one.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tenure.topology import Unknown, parse_cpu_list, parse_cpu_mask

TEXT_BYTES_MAX = 16 << 20
"""/proc/cpuinfo of the largest machines has a few MiB; no fact file is larger."""

ENTRIES_MAX = 200_000
"""Bounds a walk over a tree that is none of /sys and /proc."""


class RootNotReadableError(ValueError):
    """The root to scan is no folder, or may not be listed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Files to read: each of `names` in every folder that matches `folder` (wildcards in any part).

    ``links`` asks for where the folder's entries lead, too, ``link_names`` for some of them: where sysfs's links lead
    is a fact.
    """

    folder: str
    names: tuple[str, ...] = ()
    links: bool = False
    link_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was read. Paths are relative to the root, without a leading slash.

    ``texts`` holds content, or an `Unknown` where a file is there and could not be read. A path that is in neither
    does not exist. ``folders`` lists the entries of every folder that was visited, ``links`` where a link leads.
    """

    root: str = "/"
    texts: dict[str, str | Unknown] = field(default_factory=dict)
    folders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether these are facts of the running system, where more can be asked than files."""
        return self.root == "/"

    def text(self, path: str) -> str | Unknown:
        """Content without white space around it, or why there is none."""
        found = self.texts.get(path)
        if found is None:
            return Unknown(f"/{path} does not exist")
        return found

    def first_text(self, *paths: str) -> str | Unknown:
        """The first of these that can be read; the reason of the first otherwise."""
        for path in paths:
            found = self.text(path)
            if not isinstance(found, Unknown):
                return found
        return self.text(paths[0])

    def names(self, folder: str) -> tuple[str, ...]:
        """Entries of a folder, sorted; empty where it does not exist."""
        return self.folders.get(folder, ())

    def cpus(self, listed_in: str, masked_in: str = "") -> tuple[int, ...] | Unknown:
        """CPU (or node) numbers from a file that lists them; else from one that has them as a mask."""
        reason = Unknown("")
        for path, parse in ((listed_in, parse_cpu_list), (masked_in, parse_cpu_mask)):
            found = self.text(path) if path else Unknown("")
            if isinstance(found, Unknown):
                reason = reason if reason.reason else found
                continue
            try:
                return parse(found)
            except ValueError:
                reason = Unknown(f"/{path} says {found[:40]!r}, which is no set of numbers")
        return reason

    def number(self, path: str) -> int | Unknown:
        """A decimal or 0x-prefixed whole number."""
        found = self.text(path)
        if isinstance(found, Unknown):
            return found
        try:
            return int(found, 16) if found.lower().startswith("0x") else int(found)
        except ValueError:
            return Unknown(f"/{path} says {found[:40]!r}, which is no number")


def read_tree(root: str | Path, wanted: Iterable[Wanted]) -> FileFacts:
    """Everything wanted below `root`. Raises RootNotReadableError; a file that cannot be read is a fact, no error."""
    base = str(root)
    if not os.path.isdir(base):
        raise RootNotReadableError(f"{base} is not a folder")
    reader = _Reader(os.path.realpath(base))
    for want in wanted:
        reader.read(want)
    return FileFacts(root=reader.root, texts=reader.texts, folders=reader.folders, links=reader.links)


def read_more(facts: FileFacts, wanted: Iterable[Wanted]) -> FileFacts:
    """The same facts and more of them: what is wanted sometimes follows from what was read."""
    more = read_tree(facts.root, wanted)
    return replace(
        facts,
        texts={**facts.texts, **more.texts},
        folders={**facts.folders, **more.folders},
        links={**facts.links, **more.links},
    )


class _Reader:
    """One walk. Links inside a recorded tree are followed; one that leads out of it is a fact that cannot be read."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.texts: dict[str, str | Unknown] = {}
        self.folders: dict[str, tuple[str, ...]] = {}
        self.links: dict[str, str] = {}
        self._entries = 0
        self._inside: dict[str, bool] = {}

    def read(self, want: Wanted) -> None:
        for folder in self._matching(want.folder):
            self._read_links(folder, self._list(folder) if want.links else want.link_names)
            for name in want.names:
                self._read_text(f"{folder}/{name}" if folder else name)

    def _matching(self, pattern: str) -> list[str]:
        found = [""]
        for part in pattern.split("/"):
            step: list[str] = []
            for folder in found:
                prefix = f"{folder}/" if folder else ""
                if any(sign in part for sign in "*?["):
                    step += [prefix + name for name in fnmatch.filter(self._list(folder), part)]
                else:
                    step.append(prefix + part)
            found = step
        return found

    def _list(self, folder: str) -> tuple[str, ...]:
        if folder not in self.folders:
            try:
                names = tuple(sorted(os.listdir(self._outside(folder))))
            except OSError:
                names = ()
            self._entries += len(names)
            if self._entries > ENTRIES_MAX:
                raise RootNotReadableError(
                    f"{self.root} holds more than {ENTRIES_MAX} entries where a few are expected"
                )
            self.folders[folder] = names
        return self.folders[folder]

    def _read_links(self, folder: str, names: Iterable[str]) -> None:
        for name in names:
            path = f"{folder}/{name}"
            try:
                leads = os.readlink(self._outside(path))
            except OSError:
                continue
            inside = leads.lstrip("/") if leads.startswith("/") else f"{folder}/{leads}"
            self.links[path] = os.path.normpath(inside)

    def _read_text(self, path: str) -> None:
        outside = self._outside(path)
        try:
            if not self._is_inside(path):
                self.texts[path] = Unknown("leads out of the recorded tree")
                return
            descriptor = os.open(outside, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as error:
            if not isinstance(error, NotADirectoryError):
                self.texts[path] = Unknown(_reason(error))
            return
        try:
            self.texts[path] = _all_of(descriptor)
        except OSError as error:
            self.texts[path] = Unknown(_reason(error))
        finally:
            os.close(descriptor)

    def _is_inside(self, path: str) -> bool:
        """Whether a file lies in the tree, wherever links lead. Folders are resolved once: a tree has far fewer."""
        if self.root == "/":
            return True
        outside = self._outside(path)
        if os.path.islink(outside):
            return os.path.realpath(outside).startswith(f"{self.root}/")
        folder = os.path.dirname(outside)
        if folder not in self._inside:
            resolved = os.path.realpath(folder)
            self._inside[folder] = resolved == self.root or resolved.startswith(f"{self.root}/")
        return self._inside[folder]

    def _outside(self, path: str) -> str:
        return f"/{path}" if self.root == "/" else f"{self.root}/{path}"


def _all_of(descriptor: int) -> str:
    parts: list[bytes] = []
    total = 0
    while total < TEXT_BYTES_MAX:
        part = os.read(descriptor, 1 << 16)
        if not part:
            break
        parts.append(part)
        total += len(part)
    return b"".join(parts).decode("utf-8", "replace").strip("\0 \t\r\n")


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied"
    return (error.strerror or str(error)).lower()
