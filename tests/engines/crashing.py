"""Processes that kill themselves, with SIGKILL, at their n-th step.

A step is what the interpreter announces to audit hooks (PEP 578) before it does it: opening, renaming or removing a
file, making a folder, forking, starting a program, connecting. So no code has to know where it may die.
"""

import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"

HOOK = """
import os, signal, sys
at, count = {at}, 0
steps = {{"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.fork", "os.kill", "os.killpg", "os.chdir",
         "os.truncate", "subprocess.Popen", "os.exec", "socket.bind", "socket.connect", "fcntl.flock"}}
own = os.getpid()
def leaves_a_trace(event, arguments):
    # Reading changes nothing, so dying before or after it is the same.
    return event in steps and (event != "open" or arguments[1] not in ("r", "rb") and arguments[2] & 3 != os.O_RDONLY)
def die_at_the_nth_step(event, arguments):
    global count
    if leaves_a_trace(event, arguments) and ({children} or os.getpid() == own):
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
"""

STARTER = """
import pickle, sys
from tenure.engines import LocalEngine
home, spec = pickle.loads(sys.stdin.buffer.read())
engine = LocalEngine(home)
sys.addaudithook(die_at_the_nth_step)
engine.start(spec)
"""

SUPERVISOR = """
from tenure.engines.local import supervisor
detach = supervisor._detach
def detach_and_count():
    global own
    detach()
    own = os.getpid()
    sys.addaudithook(die_at_the_nth_step)
supervisor._detach = detach_and_count
sys.exit(supervisor.main(sys.argv[1:]))
"""


def starter_that_dies(at: int, payload: bytes) -> bool:
    """Run a starter that dies at its step `at`. False once it has no such step any more: it started the run."""
    script = HOOK.format(at=at, children=False) + STARTER
    done = subprocess.run([sys.executable, "-c", script], input=payload, check=False, capture_output=True)
    assert done.returncode in (0, -9), done.stderr.decode()
    return done.returncode == -9


def supervisor_that_dies(at: int, run_folder: str, *, children: bool) -> None:
    """Start a supervisor that dies at its step `at`, its forked children counted too if asked; wait until it is gone
    or has started its run."""
    script = HOOK.format(at=at, children=children) + SUPERVISOR
    ready, told = os.pipe()
    environment = {"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [sys.executable, "-S", "-c", script, run_folder, str(told)],
        pass_fds=(told,),
        start_new_session=True,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(told)
    with os.fdopen(ready, "rb") as pipe:
        pipe.read()
