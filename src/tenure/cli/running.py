"""`tenure up` and `tenure down`: this machine's control plane, started and stopped. Workloads are not its children."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any

import psutil
from cyclopts import Parameter

from tenure.cli import exit_codes
from tenure.cli.failures import Failure, conflict, unverifiable, usage
from tenure.cli.fleet_file import fleet_bytes, keep_fleet
from tenure.cli.homes import FIRST_MARK, make_home, not_a_home, remove_home, require_own
from tenure.cli.options import Output
from tenure.cli.platforms import must_host
from tenure.cli.screen import is_terminal, note, say, say_as
from tenure.cli.signing_key import settle_key
from tenure.cli.typed import typed
from tenure.cli.words import counted
from tenure.client import home_directory

PLANE_FILE = "plane.json"
LOG_FILE = FIRST_MARK
LOG_BYTES_MAX = 16 << 20
READY_SECONDS_MAX = 60
PORT_MAX = 65_535
FLEET_BYTES_PER_SECOND = 4_000
"""A simulated fleet is made ready at ten times this pace; a busy machine takes longer."""
STOP_SECONDS_MAX = 15
OVERRULED_SHOWN = 10
LOOK_SECONDS = 0.05
DYING_SECONDS_MAX = 10.0
"""A killed process is gone once the kernel has given back its memory; on a machine that is out of it, late."""
ALIVE_SECONDS_MAX = 2.0
START_TIME_TOLERANCE_SECONDS = 1.0


def plane_of(home: Path) -> dict[str, Any] | None:
    """What the running control plane of `home` says of itself; None when none runs. Known by pid and start time."""
    try:
        told: dict[str, Any] = json.loads((home / PLANE_FILE).read_text())
        process = psutil.Process(told["pid"])
        started = process.create_time()
        if process.status() == psutil.STATUS_ZOMBIE:  # killed, and not yet reaped by whoever started it
            return None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    return told if abs(started - told["startTime"]) < START_TIME_TOLERANCE_SECONDS else None


def living_plane_of(home: Path, seconds: float = DYING_SECONDS_MAX) -> dict[str, Any] | None:
    """The same, once it is known to live: a process that was killed a moment ago is still there, and answers no more.

    One that is there and does not answer for `seconds` is busy, not dying: it is returned as it is.
    """
    give_up = time.monotonic() + seconds
    while (told := plane_of(home)) is not None and not answers(home, str(told.get("url", ""))):
        if time.monotonic() > give_up:
            return told
        time.sleep(LOOK_SECONDS)
    return told


def answers(home: Path, url: str) -> bool:
    """Whether the control plane of this home says there that it is alive."""
    authority = home / "tls" / "ca.crt"
    try:
        trust = ssl.create_default_context(cafile=authority) if authority.exists() else None
        # A proxy from the environment must never see a loopback request.
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        with direct.open(f"{url}/livez", timeout=ALIVE_SECONDS_MAX) as said:
            return bool(said.status == HTTPStatus.OK)
    except (OSError, ValueError, HTTPException):
        return False


def up(
    *,
    foreground: Annotated[bool, Parameter(negative=(), help="Stay, and log to the screen.")] = False,
    port: Annotated[int, Parameter(help="Port on loopback; 0 takes the one of last time, else a free one.")] = 0,
    fleet: Annotated[
        Path | None, Parameter(help="Serve the simulated fleet of this file instead of this machine.")
    ] = None,
    signing_key: Annotated[
        Path | None,
        Parameter(help="Sign evidence with your own Ed25519 key (PKCS #8 PEM, 0600). It stays in this file."),
    ] = None,
    output: Output = "text",
) -> int:
    """Start Tenure on this machine; returns when it is ready.

    Server and controllers run as one process with all state in TENURE_HOME (or --home DIR), a folder that is empty, not
    there yet or a home already. Nothing listens outside loopback. Starting again adopts whatever still runs. A key that
    you bring with --signing-key stays where it is; later starts look for it there, and say so when it is away. With
    --fleet a fleet from a file (manifests, or a table with openb's columns) is served through the same door: nothing
    runs there, and everything says that it is simulated. What you declared of it stays where the file does not name it,
    and where it does, the file wins and is told.
    """
    must_host("up")
    if not 0 <= port <= PORT_MAX:
        raise usage(f"--port {port} is no TCP port", f"name one up to {PORT_MAX}; 0 takes a free one", "InvalidValue")
    home = home_directory()
    require_own(home)
    running = living_plane_of(home)
    if fleet is not None:
        keep_fleet(home, fleet, running=running is not None)
    if signing_key is not None or running is None:
        settle_key(home, signing_key, running=running is not None)
    ready_seconds = READY_SECONDS_MAX + fleet_bytes(home) // FLEET_BYTES_PER_SECOND
    started = running is None
    if running is None:
        make_home(home)
        command = [sys.executable, "-m", "tenure.cli.daemon", str(home), str(port)]
        if foreground:
            os.execv(sys.executable, command)
        running = _start(home, command, ready_seconds)
    elif foreground:
        raise usage(f"Tenure already runs in {home} (process {running['pid']})", "stop it first: tenure down")
    if "refuses" in running:
        raise Failure(
            f"Tenure is up for reading only: {running['refuses']}",
            exit_code=exit_codes.UNVERIFIABLE,
            reason="StoreReadOnly",
            next_step="workloads run on; mend the disk and start again, or tenure restore FILE into an empty home",
        )
    if "unreadable" in running:
        raise Failure(
            f"Tenure is up and decides nothing yet: {running['unreadable']}",
            exit_code=exit_codes.UNVERIFIABLE,
            reason="Unreadable",
            next_step="workloads run on; it goes on by itself once that is done",
        )
    if output == "json":
        say_as("Plane", running | {"home": str(home)})
    else:
        say(f"Tenure is up at {running['url']} (machine {running['machine']}, site {running['site']})")
        say(f"  state  {home}")
        say(f"  kubectl  export KUBECONFIG={home / 'kubeconfig'}")
        say(typed("  next   tenure inventory show, or tenure request -f FILE"))
        if started:
            _tell_overruled(running.get("overruled", []))
    return exit_codes.YES


def _tell_overruled(overruled: list[str]) -> None:
    """What the fleet's file said otherwise than somebody had declared: it is never dropped without a word."""
    for said in overruled[:OVERRULED_SHOWN]:
        note(said)
    if len(overruled) > OVERRULED_SHOWN:
        note(typed(f"and {len(overruled) - OVERRULED_SHOWN} more: tenure up -o json"))


def _start(home: Path, command: list[str], ready_seconds: int) -> dict[str, Any]:
    log = home / LOG_FILE
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as sink:
        begins = sink.tell()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True, cwd="/"
        )
    give_up = time.monotonic() + ready_seconds
    while time.monotonic() < give_up:
        told = plane_of(home)
        if told is not None and told["pid"] == process.pid:
            return told
        if process.poll() is not None:
            raise _did_not_start(_last_words(log, begins), log)
        time.sleep(LOOK_SECONDS)
    process.terminate()
    raise unverifiable(f"Tenure was not ready within {ready_seconds} s", "Unreachable", f"read {log}")


_STORE_IN_USE = "StoreInUseError"
"""The type of `tenure.store`, which no command loads: the control plane's last words begin with it."""


def _did_not_start(words: str, log: Path) -> Failure:
    if "address already in use" in words.lower():
        said = "Tenure did not start: another process listens on this port"
        return conflict(said, "PortTaken", "name another with --port, or leave it out to take a free one")
    if _STORE_IN_USE in words:
        return conflict(f"Tenure did not start: another control plane has {log.parent} open", "HomeInUse")
    said = f"Tenure did not start: {words}"
    return Failure(said, exit_code=exit_codes.OUR_FAULT, reason="StartFailed", next_step=f"read {log}")


def _last_words(log: Path, begins: int) -> str:
    with log.open("rb") as source:
        source.seek(begins)
        lines = source.read()[-20_000:].decode(errors="replace").replace("\\n", "\n").strip().splitlines()
    return lines[-1].strip().rstrip("'") if lines else "it said nothing"


def down(
    *,
    purge: Annotated[
        bool, Parameter(negative=(), help="Also end every contract and remove all state, keys and evidence included.")
    ] = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=(), help="Do not ask.")] = False,
    output: Output = "text",
) -> int:
    """Stop Tenure on this machine. Workloads run on, measured by themselves, and are adopted by the next `tenure up`.

    With --purge everything it started is ended and everything it keeps is removed, after asking.
    """
    home = home_directory()
    if purge and (refused := not_a_home(home)) is not None:
        raise refused
    if purge and home.exists() and not yes:
        _ask_to_purge(home)
    stopped = stop_plane(home)
    ended: list[str] = []
    gone = True
    if purge and home.exists():
        ended = end_all_runs(home)
        gone = remove_home(home)
    if output == "json":
        say_as("Stopped", {"home": str(home), "stopped": stopped, "purged": purge, "endedRuns": ended})
    elif purge:
        say(f"Stopped; {counted(len(ended), 'run')} ended; {home} is {'gone' if gone else 'empty'}.")
    else:
        say(typed("Stopped. Workloads run on; tenure up adopts them.") if stopped else f"Nothing runs in {home}.")
    return exit_codes.YES


def _ask_to_purge(home: Path) -> None:
    if not is_terminal():
        raise usage("--purge removes everything and must be confirmed", "add --yes")
    note(f"This ends every contract and removes {home}, keys and evidence included.")
    if input("Type yes to go on: ").strip() != "yes":
        raise usage("nothing was removed")


def stop_plane(home: Path) -> bool:
    """Stop the control plane of `home`; False when none ran. Workloads run on."""
    running = plane_of(home)
    if running is None:
        return False
    process = psutil.Process(running["pid"])
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS_MAX)
    return True


def end_all_runs(home: Path) -> list[str]:
    """End and forget every run of this home; returns their ids. Works without a control plane."""
    from tenure.engines import LocalEngine

    engine = LocalEngine(home)
    engine.adopt()
    ended = []
    for state in engine.runs():
        if not state.final:
            engine.stop(state.run_id, 1000)
            ended.append(state.run_id)
        engine.forget(state.run_id)
    return ended
