"""The tap's configuration file: JSON, read once at the start. Plain checks, because the tap carries no framework."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.measurement.keys import KeyEntry


class TapConfigError(ValueError):
    """A configuration that is refused; `path` names the offending field."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


@dataclass(frozen=True, slots=True)
class TapConfig:
    """Where to listen, what to front, which keys to admit, where to journal, and the bounds on memory and disk."""

    listen_host: str
    listen_port: int
    upstream_host: str
    upstream_port: int
    journal_folder: Path
    mac_key: str
    keys: tuple[KeyEntry, ...]
    upstream_key_file: Path | None = None
    """Holds the key of the server behind, where that one wants one; it is sent instead of the caller's."""
    announce_file: Path | None = None
    """Written once listening: {"port", "pid"}; for a port of 0."""
    mark_ms: int = 1000
    sync_ms: int = 2000
    segment_bytes: int = 4 << 20
    retain_bytes: int = 256 << 20
    body_bytes_max: int = 8 << 20
    buffered_bytes_max: int = 64 << 20
    connections_max: int = 512
    idle_ms: int = 75_000
    parent_pid: int | None = None
    """Stop when this process is gone, where the tap shall not outlive its supervisor."""

    @classmethod
    def read(cls, path: Path) -> TapConfig:
        """Read a file. Raises TapConfigError naming the field, or OSError."""
        try:
            document = json.loads(path.read_text())
        except ValueError as error:
            raise TapConfigError("$", f"is not JSON ({error})") from error
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: Any) -> TapConfig:
        """Check a parsed document. Raises TapConfigError."""
        if not isinstance(document, dict):
            raise TapConfigError("$", "is not an object")
        known = {"listen", "upstream", "journal", "macKey", "keys", "limits", "announceFile", "parentPid", "markMs"}
        for name in document:
            if name not in known:
                raise TapConfigError(name, "is not a field of the tap's configuration")
        listen, upstream = _part(document, "listen"), _part(document, "upstream")
        journal, limits = _part(document, "journal"), document.get("limits") or {}
        keys = document.get("keys")
        if not isinstance(keys, list) or not keys:
            raise TapConfigError("keys", "is a list of at least one {role, mac}")
        return cls(
            listen_host=_text(listen, "listen.host"),
            listen_port=_whole(listen, "listen.port", least=0),
            upstream_host=_text(upstream, "upstream.host"),
            upstream_port=_whole(upstream, "upstream.port", least=1),
            upstream_key_file=_file(upstream.get("keyFile")),
            journal_folder=Path(_text(journal, "journal.folder")),
            segment_bytes=_whole(journal, "journal.segmentBytes", least=4096, otherwise=4 << 20),
            retain_bytes=_whole(journal, "journal.retainBytes", least=8192, otherwise=256 << 20),
            sync_ms=_whole(journal, "journal.syncMs", least=1, otherwise=2000),
            mac_key=_hex(document, "macKey"),
            keys=tuple(_key(entry, f"keys[{at}]") for at, entry in enumerate(keys)),
            announce_file=_file(document.get("announceFile")),
            mark_ms=_whole(document, "markMs", least=50, otherwise=1000),
            body_bytes_max=_whole(limits, "limits.bodyBytes", least=1024, otherwise=8 << 20),
            buffered_bytes_max=_whole(limits, "limits.bufferedBytes", least=1024, otherwise=64 << 20),
            connections_max=_whole(limits, "limits.connections", least=1, otherwise=512),
            idle_ms=_whole(limits, "limits.idleMs", least=100, otherwise=75_000),
            parent_pid=_whole(document, "parentPid", least=1) if "parentPid" in document else None,
        )


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        raise TapConfigError(name, "is missing")
    return part


def _text(part: dict[str, Any], path: str) -> str:
    value = part.get(path.rpartition(".")[2])
    if not isinstance(value, str) or not value:
        raise TapConfigError(path, "is a text and must be given")
    return value


def _whole(part: dict[str, Any], path: str, least: int, otherwise: int | None = None) -> int:
    value = part.get(path.rpartition(".")[2], otherwise)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise TapConfigError(path, f"is a whole number of at least {least}")
    return value


def _hex(part: dict[str, Any], path: str) -> str:
    value = _text(part, path)
    try:
        enough = len(bytes.fromhex(value)) >= 16
    except ValueError:
        enough = False
    if not enough:
        raise TapConfigError(path, "is at least 16 bytes in hex")
    return value


def _key(entry: Any, path: str) -> KeyEntry:
    if not isinstance(entry, dict) or entry.get("role") not in ("user", "prober"):
        raise TapConfigError(f"{path}.role", "is `user` or `prober`")
    return KeyEntry(entry["role"], _hex(entry, f"{path}.mac"))


def _file(value: Any) -> Path | None:
    return Path(value) if isinstance(value, str) and value else None
