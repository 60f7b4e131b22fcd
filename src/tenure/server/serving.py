"""Running the embedded host: open the home, listen on loopback, say where, and close in order."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import uvicorn

from tenure.quantities import Clock, SystemClock
from tenure.server.app import make_app
from tenure.server.authorization import tokens_of
from tenure.server.certificates import Certificates, certificates_of
from tenure.server.events import expire_forever
from tenure.server.host import Host, store_resources
from tenure.server.kubeconfig import write_kubeconfig, write_private
from tenure.server.privacy import close_to_others
from tenure.server.pulse import Pulse
from tenure.store import NAMESPACES, ObjectExistsError, Store, StoreUnwritableError

LOOPBACK = "127.0.0.1"
STORE_FILE = "state.db"
SERVER_FILE = "server.json"
PORT_FILE = "port"
"""The port of last time: who keeps a copy of the kubeconfig finds the host there again. Unlike `server.json` it says of
nobody that he is there, so a backup may hold it."""
CLOSE_SECONDS = 5
LOOK_SECONDS = 0.005
DATE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Serving:
    """A host that answers."""

    url: str
    home: Path
    host: Host


async def serve(
    home: Path,
    port: int = 0,
    *,
    clock: Clock | None = None,
    ready: Callable[[Serving], None] | None = None,
    until: asyncio.Event | None = None,
) -> None:
    """Serve `home` on loopback until `until` is set or the task is cancelled; `ready` is called once it answers.

    `port` 0 takes the one of last time where it is free, so that kubeconfigs stay true. Raises the store's
    StoreInUseError and StoreUnreadableError, and OSError when the port given is taken.
    """
    async with serving(home, port, clock=clock) as running:
        if ready is not None:
            ready(running)
        await (until or asyncio.Event()).wait()


@asynccontextmanager
async def serving(home: Path, port: int = 0, *, clock: Clock | None = None) -> AsyncIterator[Serving]:
    """The host of `home`, answering for as long as the block lasts."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    close_to_others(home)  # also where its folder was there before
    tokens = tokens_of(home)
    clock = clock or SystemClock()
    certificates = certificates_of(home, SystemClock())  # its readers know no other clock
    store = Store(home / STORE_FILE, store_resources(), clock=clock)
    try:
        await _make_default_namespace(store)
        pulse = Pulse(asyncio.get_running_loop())
        store.on_commit(pulse.beat)
        host = Host(store, tokens, clock, pulse, began_ms=clock.now_ms())
        listener = _listen(home, port)
        url = f"https://{LOOPBACK}:{listener.getsockname()[1]}"
        async with _running(host, listener, certificates):
            write_kubeconfig(home / "kubeconfig", url, tokens["user"], certificates.authority)
            _announce(home, url)
            yield Serving(url, home, host)
    finally:
        store.close()


@asynccontextmanager
async def _running(host: Host, listener: socket.socket, certificates: Certificates) -> AsyncIterator[None]:
    config = uvicorn.Config(
        make_app(host),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        backlog=512,
        timeout_keep_alive=75,
        ssl_certfile=certificates.certificate,
        ssl_keyfile=certificates.key,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    sweeping = asyncio.create_task(expire_forever(host))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(LOOK_SECONDS)
        if task.done():
            await task
        yield
    finally:
        sweeping.cancel()
        host.pulse.close()  # watches end by themselves, and nobody waits for them
        server.tell_to_stop()
        while not task.done():
            _hang_up(server)
            await asyncio.wait((task,), timeout=LOOK_SECONDS)
        await task
        listener.close()


class _Server(uvicorn.Server):
    """Signals belong to whoever runs us. It stops when it is told, where uvicorn looks ten times a second, for ever."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def tell_to_stop(self) -> None:
        """Take no more, and end once what is under way is answered."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        """Until it is told. Once a second the date of its answers is renewed."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), DATE_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening and wait for what is under way, for so long; then let it go."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(LOOK_SECONDS)
                for server in self.servers:
                    await server.wait_closed()
        for task in self.server_state.tasks:
            task.cancel()

    def install_signal_handlers(self) -> None:
        """Install none."""

    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Capture none."""
        return nullcontext()


def _hang_up(server: uvicorn.Server) -> None:
    """Drop connections that nobody uses. Closing them politely waits for the other end, which sleeps in some pool."""
    for connection in list(server.server_state.connections):
        cycle, transport = getattr(connection, "cycle", None), getattr(connection, "transport", None)
        idle = cycle is None or cycle.response_complete
        if idle and transport is not None and transport.get_write_buffer_size() == 0:
            transport.abort()


def _listen(home: Path, port: int) -> socket.socket:
    last = _last_port(home) if port == 0 else 0
    for candidate in dict.fromkeys((port or last, port)):
        # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer takes 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, candidate))
        except OSError:
            listener.close()
            if candidate == port:
                raise
            continue
        return listener
    raise AssertionError("the last candidate binds or raises")


def _last_port(home: Path) -> int:
    """0 where none is known, or what is there is no port."""
    port = _written_port(home)
    return port if 0 < port < 2**16 else 0


def _written_port(home: Path) -> int:
    try:
        return int((home / PORT_FILE).read_text())
    except (OSError, ValueError):
        pass
    try:  # as older versions wrote it alone
        url = json.loads((home / SERVER_FILE).read_text())["url"]
        return int(str(url).rsplit(":", 1)[1])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return 0


def _announce(home: Path, url: str) -> None:
    started = psutil.Process().create_time()  # with the pid, names this process and no later one
    write_private(home / PORT_FILE, url.rsplit(":", 1)[1] + "\n")
    write_private(home / SERVER_FILE, json.dumps({"url": url, "pid": os.getpid(), "startTime": started}) + "\n")


async def _make_default_namespace(store: Store) -> None:
    if store.get(NAMESPACES, "", "default") is not None:
        return
    content = {"metadata": {"name": "default"}, "spec": {"finalizers": ["kubernetes"]}}
    try:
        await asyncio.wrap_future(store.create(NAMESPACES, content))
    except (ObjectExistsError, StoreUnwritableError):
        return  # a store that takes no writes is still read
