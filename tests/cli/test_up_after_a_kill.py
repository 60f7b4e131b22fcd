"""`tenure up` right after the control plane was killed: what is dying is not what is up."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from tenure.cli.running import PLANE_FILE, answers, living_plane_of, plane_of
from tests.requirements.home import house
from tests.requirements.served import until


class Alive(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def answering() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Alive)
    worker = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    worker.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def silent() -> Iterator[str]:
    """A port on which nothing listens any more: its process is on its way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def told(home: Path, pid: int, url: str) -> None:
    (home / PLANE_FILE).write_text(json.dumps({"pid": pid, "startTime": psutil.Process(pid).create_time(), "url": url}))


def test_a_process_that_dies_while_it_is_looked_at_is_not_up(tmp_path: Path, silent: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    told(tmp_path, process.pid, silent)
    assert plane_of(tmp_path) is not None, "twin: by its process alone it seems to be there"
    dies = threading.Timer(0.3, process.kill)
    dies.start()
    assert living_plane_of(tmp_path, seconds=60) is None
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


def test_one_that_answers_is_up_and_one_that_is_only_busy_is_not_started_twice(tmp_path: Path, silent: str) -> None:
    with answering() as url:
        told(tmp_path, os.getpid(), url)
        assert living_plane_of(tmp_path) is not None
    told(tmp_path, os.getpid(), silent)
    assert living_plane_of(tmp_path, seconds=0.2) is not None


@pytest.mark.real
def test_a_real_one_answers_and_after_a_kill_another_one_is_up(tmp_path: Path) -> None:
    made = house(tmp_path)
    try:
        first = living_plane_of(made.path)
        assert first is not None
        assert until(lambda: answers(made.path, first["url"])), "by the certificate of its own home"
        os.kill(first["pid"], signal.SIGKILL)
        made.must("up")
        second = living_plane_of(made.path)
        assert second is not None
        assert second["pid"] != first["pid"]
        assert until(lambda: answers(made.path, second["url"]))
    finally:
        made.close()
