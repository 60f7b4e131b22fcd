"""What stood in the homes that were up when a test failed: a wait says what it waited for, this says what was there.

Each object with its phase, conditions, remedies and newest windows; the newest events; the end of the plane's log.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UP: dict[Path, None] = {}
"""The homes whose control plane a test started and did not purge yet, in the order of their start."""
ASK_SECONDS_MAX = 20
"""A plane that does not answer shall not hold up what is told of it."""
EVENTS_MAX, LOG_LINES_MAX, LINE_MAX = 30, 20, 400


def last_words(home: Path) -> str:
    """All of it, as text; where something cannot be asked any more, that. Raises nothing."""
    if not home.exists():
        return "it is gone"
    objects = (line for item in _asked(home, "get", "workloads,offers,contracts", "-A") for line in told(item))
    events = (_event(item) for item in _asked(home, "events", "-A")[-EVENTS_MAX:])
    return "\n".join(line[:LINE_MAX] for line in [*objects, "", *events, "", *_log(home)])


def told(item: dict[str, Any]) -> Iterator[str]:
    """An object's phase and why, in a line; then a line for each thing that its status says of how it stands."""
    status: dict[str, Any] = item.get("status") or {}
    name = item.get("metadata", {}).get("name", "")
    yield f"{item.get('kind')} {name}: {status.get('phase')} {status.get('endedBecause') or ''} {item.get('said', '')}"
    for one in status.get("conditions", []):
        yield _line(one, "type", "status", "reason", "lastTransitionTime", "message")
    for one in status.get("remedies", []):
        yield _line(one, "rung", "outcome", "startedAt", "actedAt", "finishedAt", "cause")
    for one in status.get("windows", []):
        yield _line(one, "metric", "verdict", "start", "reason", "cause")
    if status.get("progress"):
        yield f"  {status['progress']}"


def _line(found: dict[str, Any], *fields: str) -> str:
    return "  " + " ".join(str(found[field]) for field in fields if found.get(field) is not None)


def _event(item: dict[str, Any]) -> str:
    who = item.get("involvedObject", {})
    about = f"{who.get('kind')}/{who.get('name')}"
    return f"{item.get('lastTimestamp')} {item.get('reason')} {about}: {item.get('message', item.get('said'))}"


def _asked(home: Path, *tokens: str) -> list[dict[str, Any]]:
    """The items that a command answers with; in a process of its own, since whoever is asked may hang."""
    command = [sys.executable, "-m", "tenure", "--home", str(home), *tokens, "-o", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return [{"kind": " ".join(tokens), "said": f"no answer within {ASK_SECONDS_MAX} s"}]
    try:
        items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    except (ValueError, KeyError):
        return [{"kind": " ".join(tokens), "said": f"exit {done.returncode}: {done.stderr.strip()}"}]
    return items


def _log(home: Path) -> list[str]:
    try:
        return (home / "plane.log").read_text(errors="replace").splitlines()[-LOG_LINES_MAX:]
    except OSError as error:
        return [f"no log: {error}"]
