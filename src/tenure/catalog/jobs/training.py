"""Train a reader of handwritten digits: `python -m tenure.catalog.jobs.training --steps N --port PORT`.

It answers GET /metrics in OpenMetrics, writes `checkpoint.npz` into its working directory, goes on from there when it
is started again, and exits 0 when it is done.
"""

import argparse
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from tenure.catalog.jobs.digits import Digits, read, training_and_held_out
from tenure.catalog.jobs.network import Weights, accuracy, initial, step

CHECKPOINT = Path("checkpoint.npz")
CHECKPOINT_SECONDS = 2.0
SEED = 7
STOPPED = 128 + signal.SIGTERM


@dataclass
class Job:
    """How far it is; read by the page of metrics while it is trained."""

    steps: int
    width: int
    batch: int
    done: int = 0
    restored: int = 0
    loss: float = float("nan")
    checkpoints: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def page(self) -> str:
        """The metrics, OpenMetrics 1.0."""
        lines = [
            "# TYPE tenure_job_progress_ratio gauge",
            "# HELP tenure_job_progress_ratio Share of the work that is done.",
            f"tenure_job_progress_ratio {self.done / self.steps!r}",
            "# TYPE tenure_job_steps counter",
            f"tenure_job_steps_total {self.done}",
            "# TYPE tenure_job_restored_steps gauge",
            f"tenure_job_restored_steps {self.restored}",
            "# TYPE tenure_job_loss gauge",
            f"tenure_job_loss {self.loss!r}",
            "# TYPE tenure_job_checkpoints counter",
            f"tenure_job_checkpoints_total {self.checkpoints}",
            "# EOF",
        ]
        return "\n".join(lines) + "\n"


def train(job: Job, data: Digits) -> Weights:
    """Go on from the checkpoint if there is one for this very job; returns the weights when done or told to stop."""
    weights = _restore(job)
    saved_s = time.monotonic()
    while job.done < job.steps and not job.stopping.is_set():
        job.loss = step(weights, data, SEED, job.done, job.batch)
        job.done += 1
        if time.monotonic() - saved_s >= CHECKPOINT_SECONDS:
            _save(job, weights)
            saved_s = time.monotonic()
    _save(job, weights)
    return weights


def _restore(job: Job) -> Weights:
    try:
        with np.load(CHECKPOINT, allow_pickle=False) as kept:
            if int(kept["width"]) == job.width and int(kept["batch"]) == job.batch:
                job.done = job.restored = min(int(kept["done"]), job.steps)
                return {name: kept[name] for name in kept.files if name not in ("done", "width", "batch")}
    except FileNotFoundError:
        pass
    return initial(SEED, job.width)


def _save(job: Job, weights: Weights) -> None:
    """A crash leaves the old checkpoint or the new one, never half of either."""
    aside = CHECKPOINT.with_name("checkpoint.new.npz")
    with aside.open("wb") as out:
        np.savez(out, done=job.done, width=job.width, batch=job.batch, **weights)  # type: ignore[arg-type]
        out.flush()
        os.fsync(out.fileno())
    aside.replace(CHECKPOINT)
    job.checkpoints += 1


def serve_metrics(job: Job, port: int) -> ThreadingHTTPServer:
    """Answer on loopback until the process ends."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = job.page().encode()
            self.send_response(200 if self.path == "/metrics" else 404)
            self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Being read is no news."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def main() -> int:
    """Train, say how well, and end."""
    asked = argparse.ArgumentParser(description="Train a reader of handwritten digits.")
    asked.add_argument("--steps", type=int, default=20_000)
    asked.add_argument("--width", type=int, default=64)
    asked.add_argument("--batch", type=int, default=128)
    asked.add_argument("--port", type=int, default=0, help="of the metrics; 0 serves none")
    given = asked.parse_args()
    job = Job(given.steps, given.width, given.batch)
    signal.signal(signal.SIGTERM, lambda *_: job.stopping.set())
    if given.port:
        serve_metrics(job, given.port)
    learned, held_out = training_and_held_out(read())
    weights = train(job, learned)
    if job.done < job.steps:
        print(f"stopped at step {job.done} of {job.steps}; the checkpoint has it", flush=True)
        return STOPPED
    print(f"done: {job.steps} steps, {job.restored} of them before the last start", flush=True)
    print(f"loss {job.loss:.4f}, accuracy on unseen digits {accuracy(weights, held_out):.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
