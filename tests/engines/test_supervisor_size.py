"""A supervisor stands beside every workload, so it stays small."""

import subprocess
import sys

import pytest
from tests.engines.builders import a_run

from tenure.engines import LocalEngine

OWN_BYTES_MAX = 4 << 20
HEAVY = {"pydantic", "rich", "yaml", "numpy", "dataclasses", "inspect", "subprocess", "asyncio", "ctypes", "hashlib"}


def test_it_imports_nothing_heavy() -> None:
    script = "import sys, tenure.engines.local.supervisor; print(' '.join(sys.modules))"
    path = {"PYTHONPATH": "src"}
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True, env=path)
    assert HEAVY & set(done.stdout.split()) == set()


@pytest.mark.real
def test_beyond_the_bare_interpreter_it_takes_a_few_megabytes(engine: LocalEngine) -> None:
    spec = a_run()
    supervisor = engine.start(spec).supervisor
    assert supervisor is not None
    bare = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "print(open('/proc/self/status').read())"],
        capture_output=True,
        text=True,
        check=True,
    )
    with open(f"/proc/{supervisor.pid}/status") as file:
        own = _resident(file.read()) - _resident(bare.stdout)
    assert own < OWN_BYTES_MAX, f"{own / 2**20:.1f} MiB beyond the interpreter"


def _resident(status: str) -> int:
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
