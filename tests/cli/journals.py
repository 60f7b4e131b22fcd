"""What a contract's run has written beside itself, and an endpoint's answers, for commands that read them."""

import time
from pathlib import Path

from tenure.measurement import JournalWriter
from tenure.promises import Outcome, RequestSample

MS = 1_000_000


def journal_with(folder: Path, request: str) -> None:
    """A tap's journal that knows one request of a user."""
    if folder.exists():
        return
    writer = JournalWriter(folder)
    times = {"arrivalNs": time.time_ns(), "firstNs": 80 * MS, "endNs": 200 * MS, "gapsNs": [40 * MS, 40 * MS]}
    said = {"how": "completed", "status": 200, "promptTokens": 50, "outputTokens": 3, "streamed": True}
    writer.append("end", {"id": 1, "role": "user", "requestId": request, **times, **said})
    writer.close()


async def one_answer(*_: object) -> list[RequestSample]:
    """What a request got that was answered."""
    answered = RequestSample(time.time_ns(), 80 * MS, (40 * MS, 40 * MS), 200 * MS, 50, 3, 200, Outcome.COMPLETED)
    return [answered]
