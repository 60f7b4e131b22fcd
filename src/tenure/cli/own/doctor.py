"""`tenure doctor`: what works on this machine, what does not, and what to do about it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.table import Table
from rich.text import Text

from tenure.catalog import artifact_of, cache_dir, cached_path
from tenure.catalog import models as catalog_models
from tenure.cli import exit_codes, screen
from tenure.cli.answer import BAD, GOOD, MIDDLING, QUIET
from tenure.cli.door import Door, open_door, readable
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.cli.platforms import support_of
from tenure.cli.typed import typed
from tenure.client import ApiError, home_directory
from tenure.client.calls import Call
from tenure.engines import EngineFailure, LocalEngine, Phase
from tenure.resources import Machine, Site

State = Literal["good", "lacking", "bad"]
MARKS = {"good": ("✔", GOOD), "lacking": ("–", MIDDLING), "bad": ("✗", BAD)}
ROOM_BYTES_MIN = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `lacking` is said and does no harm; `bad` keeps contracts from being made or kept."""

    area: str
    what: str
    state: State
    found: str
    next_step: str = ""

    def to_json(self) -> dict[str, str]:
        """For programs."""
        names = {"area": self.area, "what": self.what, "state": self.state, "found": self.found}
        return names | {"nextStep": self.next_step}


def doctor(*, output: Output = "text", reach: Reach = HERE) -> int:
    """Check this machine: the system, the host, the runtime, the models, what can be enforced. Changes nothing.

    Exits 0 when contracts can be made here, 1 when something keeps them from being made.
    """
    as_json = check_output(output)
    checks = [*_system(), *_runtime(), *_enforcement(), *damaged_runs(), *_host(reach)]
    code = exit_codes.NO if any(check.state == "bad" for check in checks) else exit_codes.YES
    if as_json:
        items = [check.to_json() for check in checks]
        screen.say_as("Checkup", {"healthy": code == exit_codes.YES, "checks": items})
        return code
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    area = ""
    for check in checks:
        mark, style = MARKS[check.state]
        found = Text(check.found)
        if check.next_step:
            found.append(f"\n→ {typed(check.next_step)}", style="bold" if check.state == "bad" else QUIET)
        shown = Text(check.area if check.area != area else "", style=QUIET)
        table.add_row(shown, Text(mark, style=style), check.what, found)
        area = check.area
    screen.console(markup=False).print(table)
    return code


def _system() -> Iterator[Check]:
    version = platform.python_version()
    yield Check("system", "Python", "good" if sys.version_info >= (3, 11) else "bad", version, "")
    yield kernel_check(platform.system(), platform.release())
    home = home_directory()
    yield _writable(home)
    for name, folder in (("room for state", home), ("room for models", cache_dir())):
        free = shutil.disk_usage(_existing(folder)).free
        enough = free >= ROOM_BYTES_MIN
        step = "" if enough else f"free some of {folder}, or choose another folder"
        yield Check("system", name, "good" if enough else "bad", f"{free / (1 << 30):.1f} Gi free for {folder}", step)


def kernel_check(name: str, release: str) -> Check:
    """What the operating system of this name allows."""
    support = support_of(name)
    step = "" if support.hosts else support.in_words
    return Check("system", "kernel", "good" if support.hosts else "lacking", f"{name} {release}", step)


def _writable(home: Path) -> Check:
    place = _existing(home)
    try:
        mode = place.stat().st_mode
        writable = bool(mode & stat.S_IWUSR) and os.access(place, os.W_OK)
    except OSError:
        writable = False
    step = "" if writable else "choose another with --home DIR or TENURE_HOME"
    return Check("system", "home", "good" if writable else "bad", str(home), step)


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _runtime() -> Iterator[Check]:
    if importlib.util.find_spec("xllamacpp") is None:
        yield Check("serving", "llama.cpp", "bad", "not installed", "install tenure[llama]")
    else:
        yield Check("serving", "llama.cpp", "good", f"xllamacpp {importlib.metadata.version('xllamacpp')}")
    for model in catalog_models():
        path = cached_path(artifact_of(model))
        step = "" if path else f"tenure model fetch {model.name}"
        yield Check("serving", f"model {model.name}", "good" if path else "lacking", str(path or "not fetched"), step)


def _enforcement() -> Iterator[Check]:
    try:
        seen = LocalEngine(home_directory()).observe()
    except (EngineFailure, OSError) as error:
        yield Check("enforced", "engine", "bad", str(error))
        return
    for ability in seen.abilities:
        how = ability.mechanism if ability.granted else ability.why
        yield Check("enforced", ability.name, "good" if ability.granted else "lacking", how or "unknown")


def damaged_runs() -> Iterator[Check]:
    """Runs whose own record is damaged; of all others `tenure ledger check` tells."""
    if sys.platform != "linux":
        return
    for run in LocalEngine(home_directory()).runs():
        if run.phase is Phase.UNREADABLE:
            failure, _, next_step = run.message.partition("; next: ")
            yield Check("runs", run.run_id, "bad", failure, next_step)


def _host(reach: Reach) -> Iterator[Check]:
    try:
        with open_door(reach) as door:
            version = door.client.version().get("gitVersion", "unknown")
            yield Check("host", "answers", "good", f"version {version}")
            for check in (_ready, _tokens, _machines, _sites):
                yield from check(door)
    except ApiError as error:
        yield Check("host", "answers", "lacking", str(error), "tenure up")
    kubectl = shutil.which("kubectl")
    yield Check("host", "kubectl", "good" if kubectl else "lacking", kubectl or "not installed; `tenure` does the same")


def _ready(door: Door) -> Iterator[Check]:
    try:
        door.send(Call("GET", "/readyz"))
    except ApiError as error:
        yield Check("host", "takes writes", "bad", str(error))
    else:
        yield Check("host", "takes writes", "good", "yes")


def _tokens(_: Door) -> Iterator[Check]:
    for path in sorted((home_directory() / "tokens").glob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        closed = not mode & 0o077
        step = "" if closed else f"chmod 600 {path}"
        yield Check("host", f"token {path.name}", "good" if closed else "bad", f"mode {mode:04o}", step)


def _machines(door: Door) -> Iterator[Check]:
    machines = readable(door.client.list(Machine))
    if not machines:
        yield Check("host", "machines", "bad", "none is known: do the controllers run?", "tenure up")
    for machine in machines:
        state = machine.status.state if machine.status else "unknown"
        ready = state == "Ready"
        yield Check("host", f"machine {machine.name}", "good" if ready else "bad", state)
        cost = machine.spec.hourly_cost
        step = "" if cost else f'tenure price set {machine.name} "0.12 EUR"'
        yield Check("host", f"price of {machine.name}", "good" if cost else "lacking", str(cost or "unknown"), step)


def _sites(door: Door) -> Iterator[Check]:
    for site in readable(door.client.list(Site)):
        place = site.spec.location
        step = "" if place else f"tenure site assert {site.name} --country DE --by NAME"
        found = f"{place.country}, {place.trust} by {place.asserted_by}" if place else "nobody has asserted where"
        yield Check("host", f"place of {site.name}", "good" if place else "lacking", found, step)
