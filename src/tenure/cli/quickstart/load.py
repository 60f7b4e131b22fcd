"""Real requests from outside: a client that never pauses, and the load generator, both on the system's own cores."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

from tenure.measurement import Endpoint, TrialPlan
from tenure.measurement.trial_process import plan_to_json

PAUSE_SECONDS = 0.1
TIMEOUT_SECONDS = 20


class Load:
    """The declared load, for as long as the block lasts."""

    def __init__(self, folder: Path, endpoint: Endpoint, plan: TrialPlan, cpus: tuple[int, ...]) -> None:
        self._plan = folder / "load.json"
        self._plan.write_text(json.dumps(plan_to_json(endpoint, plan)))
        self._result = folder / "load-result.json"
        self._key = endpoint.api_key or ""
        self._cpus = cpus
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tenure.measurement.trial_process", str(self._plan), str(self._result)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TENURE_TRIAL_KEY": self._key},
        )
        if self._cpus:
            os.sched_setaffinity(self._process.pid, self._cpus)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()


class Interference:
    """Busy processes on some CPUs: real interference by real processes."""

    def __init__(self, cpus: tuple[int, ...], count: int) -> None:
        self._cpus = cpus
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for _ in range(self._count):
            # A session each: Linux groups the processes of one session and would give all of them one share together.
            process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(100000))"], start_new_session=True)
            os.sched_setaffinity(process.pid, self._cpus)
            self._processes.append(process)
        return self

    def where(self) -> set[int]:
        """The CPUs that they may use now."""
        return {cpu for process in self._processes for cpu in os.sched_getaffinity(process.pid)}

    @property
    def pids(self) -> list[int]:
        """Who they are."""
        return [process.pid for process in self._processes]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


@dataclass
class SteadyClient:
    """Asks again as soon as it was answered, and counts. It knows nothing of any control plane."""

    endpoint: Endpoint
    answered: int = 0
    failed: int = 0
    last_error: str = ""
    longest_seconds: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT_SECONDS)

    def _ask(self) -> None:
        body = {
            "model": self.endpoint.model,
            "max_tokens": 8,
            "stream": True,
            "messages": [{"role": "user", "content": "Count to four."}],
        }
        while not self._stop.is_set():
            begun = time.monotonic()
            request = urllib.request.Request(
                f"{self.endpoint.base_url}/chat/completions",
                data=json.dumps(body).encode(),
                headers={"Authorization": f"Bearer {self.endpoint.api_key}", "Content-Type": "application/json"},
            )
            try:
                with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
                    answer.read()
                self.answered += 1
            except (OSError, HTTPException) as error:  # an answer that breaks off is no OSError
                self.failed += 1
                self.last_error = f"{type(error).__name__}: {error}"
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - begun)
            self._stop.wait(PAUSE_SECONDS)


# No proxy of the environment ever sees a loopback request.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
