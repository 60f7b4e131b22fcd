"""A real browser without a screen, spoken to over a pipe (the DevTools protocol), with its network switched off.

Chromium where one is installed; where none is, the test is skipped and says how to get one.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S = 90
"""For one answer, on a machine that is busy with other things."""


@dataclass
class Page:
    """One page. `complaints` are its errors and what it wrote to the console; `fetched` is what it asked for."""

    pipe_in: int
    pipe_out: int
    session: str = ""
    complaints: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    _asked: int = 0
    _left: bytes = b""

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._asked += 1
        said: dict[str, Any] = {"id": self._asked, "method": method, "params": params}
        if self.session:
            said["sessionId"] = self.session
        os.write(self.pipe_in, json.dumps(said).encode() + b"\0")
        while True:
            answer = self._next()
            self._note(answer)
            if answer.get("id") == self._asked:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, f"{expression}: {found['exceptionDetails']}"
        return found["result"].get("value")

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a file at a width, light or dark."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call("Page.navigate", url=path.as_uri())
        give_up = time.monotonic() + PATIENCE_S
        while not self.js(f"document.readyState === 'complete' && location.href === {json.dumps(path.as_uri())}"):
            assert time.monotonic() < give_up, f"{path} never loaded"
            time.sleep(0.05)

    def picture(self, path: Path) -> None:
        """The whole page as a PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _note(self, said: dict[str, Any]) -> None:
        method, params = said.get("method"), said.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        if method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        if method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])

        if method == "Network.requestWillBeSent":
            self.fetched.append(params["request"]["url"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            ready, _, _ = select.select([self.pipe_out], [], [], PATIENCE_S)
            assert ready, "the browser says nothing"
            more = os.read(self.pipe_out, 1 << 16)
            assert more, "the browser is gone"
            self._left += more
        message, _, self._left = self._left.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextmanager
def offline_page(folder: Path) -> Iterator[Page]:
    """An empty page in a browser of its own, without a network."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no browser is installed here: apt-get install chromium")
    to_browser, write = os.pipe()
    read, from_browser = os.pipe()
    # The browser speaks on descriptors 3 and 4, whatever ours are called.
    line = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    arguments += ["--remote-debugging-pipe", f"--user-data-dir={folder / 'browser'}", "--no-first-run"]
    process = subprocess.Popen(
        ["bash", "-c", line, "browser", program, *arguments],
        pass_fds=(to_browser, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        page = Page(write, read)
        target = page.call("Target.createTarget", url="about:blank")["targetId"]
        page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        yield page
        with suppress(AssertionError, OSError):
            page.session = ""
            page.call("Browser.close")
    finally:
        os.close(write)
        os.close(read)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
