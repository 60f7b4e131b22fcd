"""The workload's own counters contradict on a real contract: a page that is gone, frozen, played back or lying."""

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from tenure.resources import Contract
from tenure.resources.kinds.standing import WindowVerdict
from tests.requirements.home import House, house
from tests.requirements.served import active, load, serve, until

pytestmark = pytest.mark.real

SETTLED_SECONDS = 240
"""A verdict waits for what is still open: on a slow machine for a minute or two."""
SAYS_NOTHING = ("TooFewSamples", "NotSettled", "LoadAboveDeclared")
"""Of its page: nobody asked then, or it is not over yet, or more was asked than declared, as in one of a thousand. Nor
does a breach: what tap and prober saw is said at once, whatever the page says, and a busy machine breaks some."""
PLAYED = 8
"""So many of the newest pages are played back again and again."""
TOKENS = "llamacpp:tokens_predicted_total"


class Page(ThreadingHTTPServer):
    """Stands between the server's page and the prober, and is honest until it is told otherwise."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), Between)
        self.upstream, self.mode = upstream, "live"
        self.seen: list[bytes] = []
        self._played = 0

    def say(self, key: str) -> bytes | None:
        """What the prober gets; None for nothing."""
        request = urllib.request.Request(self.upstream, headers={"Authorization": key})
        with urllib.request.urlopen(request, timeout=5) as answer:
            page: bytes = answer.read()
        match self.mode:
            case "gone":
                return None
            case "frozen":
                return self.seen[-1]
            case "replayed":
                self._played += 1
                return self.seen[-1 - self._played % PLAYED]
            case "lying":
                return b"".join(map(_doubled, page.splitlines(keepends=True)))
            case _:
                self.seen.append(page)
                return page


def _doubled(line: bytes) -> bytes:
    name, _, value = line.strip().partition(b" ")
    return b"%s %d\n" % (name, 2 * float(value)) if name == TOKENS.encode() else line


class Between(BaseHTTPRequestHandler):
    """One request of the prober."""

    server: Page

    def do_GET(self) -> None:
        try:
            page = self.server.say(self.headers["Authorization"])
        except urllib.error.URLError:
            page = None
        self.send_response(404 if page is None else 200)
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = house(tmp_path_factory.mktemp("third"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def chat(home: House) -> Contract:
    return serve(home)


@pytest.fixture(scope="module")
def page(home: House, chat: Contract) -> Iterator[Page]:
    """The prober reads its page through ours from now on; its users go on asking all the while."""
    config = home.path / "runs" / chat.spec.hold.id / "work" / "prober.json"
    document = json.loads(config.read_text())
    between = Page(document["metrics"]["url"])
    threading.Thread(target=between.serve_forever, daemon=True).start()
    document["metrics"]["url"] = f"http://127.0.0.1:{between.server_port}/metrics"
    config.write_text(json.dumps(document))
    os.kill(_prober(config), signal.SIGKILL)
    with load(home, chat):
        # More than are played back; it reads twice a second.
        until(lambda: len(between.seen) > 2 * PLAYED, SETTLED_SECONDS, lambda: f"it reads again: {len(between.seen)}")
        yield between
    between.shutdown()


def _prober(config: Path) -> int:
    return next(p.pid for p in psutil.process_iter(["cmdline"]) if str(config) in (p.info["cmdline"] or []))


def windows_since(home: House, begin_ms: int, count: int) -> list[WindowVerdict]:
    """So many settled windows of the first promise that begin after an instant and say something of its page."""
    found: dict[int, WindowVerdict] = {}

    def look() -> bool:
        contract = active(home)
        assert contract is not None
        assert contract.status is not None
        for window in contract.status.windows:
            asked = window.reason not in SAYS_NOTHING and window.verdict != "Breached"
            if window.metric == "timeToFirstToken" and int(window.start) >= begin_ms and asked:
                found[int(window.start)] = window
        return len(found) >= count

    until(look, SETTLED_SECONDS, lambda: f"{count} windows are judged: {list(found.values())}; {active(home)}")
    return list(found.values())


def now_ms() -> int:
    return time.time_ns() // 10**6


FOUND_MS_MAX = 15_000
"""Counters of short windows are compared over ten seconds; by then, every lie has shown."""


@pytest.mark.parametrize(
    ("mode", "reason", "said"),
    [
        ("gone", ("SensorGone",), ("metrics",)),
        ("frozen", ("SensorGone", "ViewsDisagree"), ("frozen", "tokens: workload")),
        ("replayed", ("SensorGone", "ViewsDisagree"), ("replayed", "tokens: workload")),
        ("lying", ("ViewsDisagree", "SensorGone"), ("tokens: workload", "metrics")),
    ],
)
def test_a_page_that_is_not_true_is_named_and_nothing_is_kept(
    home: House, page: Page, mode: str, reason: tuple[str, ...], said: tuple[str, ...]
) -> None:
    begun = now_ms()
    page.mode = mode
    try:
        found = windows_since(home, begun + FOUND_MS_MAX, 5)
        said_of_all = home.tenure("status").code  # before it is honest again, and the next window is kept
    finally:
        page.mode = "live"
    assert {window.verdict for window in found} == {"Unverifiable"}, found
    named = [w for w in found if w.reason in reason and any(words in (w.cause or "") for words in said)]
    assert len(named) >= len(found) - 1, f"one may be for another sensor that a busy machine keeps waiting: {found}"
    assert said_of_all in (1, 7)


def test_twin_an_honest_page_in_between_changes_nothing(home: House, page: Page) -> None:
    assert page.mode == "live"
    found = windows_since(home, now_ms() + FOUND_MS_MAX, 10)
    # A prober that the machine keeps waiting is late once, and it is honest to say so; a liar is named in each of them.
    named = [window for window in found if window.reason in ("SensorGone", "ViewsDisagree")]
    assert len(named) <= len(found) // 5, found
    assert "Kept" in {window.verdict for window in found}, found  # a busy machine may well break one


SLEPT_SECONDS = 6


def test_what_a_machine_slept_through_is_unverifiable_when_it_wakes(home: House, chat: Contract, page: Page) -> None:
    """Plane, supervisor, server, tap and prober stand still together, as on a suspended machine; its users go on."""
    contract = active(home)
    assert contract is not None
    assert contract.status is not None
    assert contract.status.run is not None
    still = [p for p in psutil.process_iter(["cmdline"]) if _of(p, home, contract.status.run.pid)]
    assert len(still) >= 5
    for process in still:
        process.suspend()
    begun = now_ms()
    time.sleep(SLEPT_SECONDS)
    woken = now_ms()
    for process in still:
        process.resume()
    window_ms = contract.spec.promises.statistical[0].window.ms
    whole = range((begun // window_ms + 1) * window_ms, woken - window_ms, window_ms)
    assert len(whole) >= 3

    def judged() -> dict[int, str]:
        said = home.tenure("contract", "audit", contract.name, "-o", "json").json["promises"][0]["windows"]
        found = {w["startMs"]: w["verdict"] for w in said if w["startMs"] in whole}
        return found if len(found) == len(whole) else {}

    judged_so = until(judged, SETTLED_SECONDS, "what passed meanwhile is judged")
    assert set(judged_so.values()) == {"Unverifiable"}, judged_so
    # What queued up meanwhile is served first, and views are compared over ten seconds; then it is kept again.
    until(lambda: any(w.verdict == "Kept" for w in windows_since(home, woken, 3)), SETTLED_SECONDS, "and goes on")


def _of(process: psutil.Process, home: House, server: int | None) -> bool:
    words = process.info["cmdline"] or []
    return process.pid == server or any(str(home.path) in word for word in words)
