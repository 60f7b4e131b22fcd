"""A writer that is killed at any moment: all that it acknowledged is there, and the log goes on."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence.builders import a_log, a_ring, a_statement

WRITER = """
import sys
from pathlib import Path
from tests.evidence.builders import a_log, a_statement

log = a_log(Path(sys.argv[1]))
print("ready", flush=True)
number = log.size
while True:
    log.append(a_statement(id=f"s-{number}"), {"samples": [number] * 500})
    print(number, flush=True)
    number += 1
"""


def kill_a_writer(home, acknowledgements):
    """Start a writer, kill it after some acknowledgements; the last that it gave."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home)],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    for _ in range(acknowledgements):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split("\n")
    writer.wait()
    return rest


def survives(home, kills, seed):
    chance, least = random.Random(seed), 0
    for _ in range(kills):
        acknowledgements = chance.randrange(1, 60)
        rest = kill_a_writer(home, acknowledgements)
        least += acknowledgements + sum(line.isdecimal() for line in rest[:-1])
        log = a_log(home)
        assert log.size >= least
        least = log.size
        ids = [statement.id for statement in log.verify(keys=a_ring(home).public_keys)]
        assert ids == [f"s-{number}" for number in range(log.size)]
        repeated = log.append(a_statement(id=ids[-1]), {"samples": [log.size - 1] * 500})
        assert repeated.repeated
        log.close()


def test_nothing_acknowledged_is_lost_to_a_kill(tmp_path):
    survives(tmp_path, kills=2, seed=1)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_to_fifty_kills(tmp_path):
    survives(tmp_path, kills=50, seed=2)
