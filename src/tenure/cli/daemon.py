"""The control plane of one machine as a process: `python -m tenure.cli.daemon HOME PORT`. Server and controllers only.

Where the home keeps a fleet (`fleet/`, put there by `tenure up --fleet`), it serves that instead of this machine.

It writes `plane.json` when it is ready, keeps a log, and ends on SIGTERM or SIGINT with workloads left running.
"""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import structlog

from tenure.cli.collector import keep_collections_short
from tenure.cli.fleet_file import fleet_before, kept_fleet, take_over
from tenure.cli.homes import make_home
from tenure.cli.lossy import LossyStream
from tenure.client import AsyncClient, Unreadable, from_home
from tenure.controllers.assembly import plane_of, run_plane
from tenure.quantities import SteadyClock
from tenure.server import Serving, serving
from tenure.server.kubeconfig import write_private
from tenure.server.privacy import OTHERS

PLANE_FILE = "plane.json"
EXIT_OURS = 70
CLOCK_LOOK_SECONDS = 5
MENDED_LOOK_SECONDS = 2
CPU_NUMBERS = 8192
"""NR_CPUS, the most that Linux is built for on x86-64; it passes over numbers that the machine does not have."""


async def run(home: Path, port: int = 0) -> None:
    """Serve and control until told to stop. Raises Failure where `home` is a folder of somebody else."""
    make_home(home)  # whoever started this may have judged another folder, or none
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = SteadyClock()
    async with serving(home, port, clock=clock) as host:
        refusal = host.host.store.refusal
        if refusal is None:
            await _control_when_readable(host, home, clock, stop)
        else:
            # Nothing can be decided that could not be written down. What is there is read, and what runs runs on.
            structlog.get_logger("tenure").error("up for reading only", because=str(refusal))
            _announce(home, host, refuses=str(refusal))
            await stop.wait()
    (home / PLANE_FILE).unlink(missing_ok=True)


def _announce(home: Path, host: Serving, **more: str | list[str]) -> None:
    """Tell whoever looks into the home that this process is there."""
    started = psutil.Process().create_time()  # with the pid, names this process and no later one
    told = {"pid": os.getpid(), "startTime": started, "url": host.url, **more}
    write_private(home / PLANE_FILE, json.dumps(told) + "\n")


async def _control_when_readable(host: Serving, home: Path, clock: SteadyClock, stop: asyncio.Event) -> None:
    """Control. Where what the site itself stands on is refused as it is stored, serve on until it is corrected."""
    while not stop.is_set():
        try:
            await _control(host, home, clock, stop)
            break
        except Unreadable as error:
            structlog.get_logger("tenure").error("nothing is decided", because=str(error))
            _announce(home, host, unreadable=str(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), MENDED_LOOK_SECONDS)


async def _control(host: Serving, home: Path, clock: SteadyClock, stop: asyncio.Event) -> None:
    """Run the controllers until told to stop; raises what ended them otherwise."""
    async with (
        AsyncClient(lambda: from_home(home, "controllers")) as client,
        plane_of(client, home, clock, kept_fleet(home), fleet_before(home)) as plane,
    ):
        take_over(home)

        def ready() -> None:
            _announce(home, host, site=plane.site, machine=plane.machine, overruled=list(plane.overruled))

        controllers = asyncio.create_task(run_plane(plane, ready), name="controllers")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        looking = asyncio.create_task(_tell_of_steps(clock), name="clock")
        collecting = asyncio.create_task(keep_collections_short(), name="collector")
        await asyncio.wait({controllers, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if controllers.done():
            controllers.result()
        controllers.cancel()
        looking.cancel()
        collecting.cancel()
        await asyncio.gather(controllers, looking, collecting, return_exceptions=True)


async def _tell_of_steps(clock: SteadyClock) -> None:
    """Log when the wall clock begins to be disbelieved, and when it agrees again."""
    log, told = structlog.get_logger("tenure.clock"), 0
    while True:
        step = clock.step_ms
        if bool(step) != bool(told):
            said = "the clock was set; time goes on by what has elapsed" if step else "the clock agrees again"
            log.warning(
                said, off_seconds=round(step / 1000), next_step="restart Tenure if the new time is the true one"
            )
        told = step
        await asyncio.sleep(CLOCK_LOOK_SECONDS)


def shed_inherited_affinity() -> None:
    """Use every CPU that the cpuset grants, whatever shell started this.

    An affinity is the scheduler's default, which any process may widen; a shell that a remedy keeps off contracted
    cores, for instance, would otherwise make the machine look smaller to the next control plane that it starts.
    """
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            # The kernel leaves out what the cpuset does not grant. Numbers may have gaps, so a count of CPUs says
            # nothing about the highest.
            os.sched_setaffinity(0, range(CPU_NUMBERS))


def main() -> int:
    """Entry point of the process."""
    os.umask(OTHERS)  # what lies in a home is its owner's alone, whatever shell started this
    shed_inherited_affinity()
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(os.environ.get("TENURE_LOG", "info").lower()),
        logger_factory=structlog.PrintLoggerFactory(LossyStream(sys.stderr.fileno())),  # type: ignore[arg-type]
    )
    try:
        asyncio.run(run(Path(sys.argv[1]).absolute(), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
    except KeyboardInterrupt:
        return 0
    except Exception:
        structlog.get_logger("tenure").exception("the control plane stopped")
        return EXIT_OURS
    return 0


if __name__ == "__main__":
    sys.exit(main())
