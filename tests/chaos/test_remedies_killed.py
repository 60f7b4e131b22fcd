"""The control plane is killed while a promise is breached and remedied: a step is finished or undone, never both.

The model is under contract and asked at its declared load; busy processes are put on its core again and again, and the
control plane is killed somewhere between the breach, the statement of the step, the step and its judgement.
"""

import itertools
import math
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tenure.cli.quickstart.load import Interference
from tenure.cli.running import plane_of
from tenure.engines import LocalEngine
from tenure.measurement import read_journal
from tenure.resources import Contract
from tests.requirements.home import House, house
from tests.requirements.served import active, cpus_held, load, pid_of_plane, serve, until

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="with one CPU there is nowhere to move an intruder to"),
]
KILLS = max(1, int(os.environ.get("TENURE_KILLS", "20")) // 2)
SEED = int(os.environ.get("TENURE_SEED", str(random.SystemRandom().randrange(10**6))))
INTERFERERS = 8
ALIVE_SECONDS = (1.0, 9.0)
CONCLUDED_SECONDS = 240
"""A step is judged by windows, and these wait for what is still open: on a slow machine for a minute or two."""
READY_SECONDS = 20
"""Told, and nothing that is claimed: nobody waits long for it."""
REST_SECONDS = 6
"""A rung that helped may be tried again after five windows."""
AGREED_SECONDS = 60
RESTARTED_SECONDS = 60
"""For the kill, the next control plane and all that is asked of it in a round."""
ROUND_SECONDS = ALIVE_SECONDS[1] + RESTARTED_SECONDS + AGREED_SECONDS + CONCLUDED_SECONDS + REST_SECONDS
TERM_MINUTES = math.ceil((KILLS * ROUND_SECONDS + READY_SECONDS + AGREED_SECONDS) / 60)
"""So that the contract is there for all rounds, should each of them take as long as it may."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = house(tmp_path_factory.mktemp("remedied"))
    try:
        yield made
    finally:
        made.close()


def steps(home: House) -> list[dict[str, Any]]:
    """The remedies in the contract's status that Tenure takes by itself; an offer of other terms waits for its user."""
    found = home.must("get", "contracts", "-o", "json").json["items"]
    # Beside it there may be contracts that a busy machine turned away when they were commissioned.
    (status,) = (c["status"] for c in found if c.get("status", {}).get("phase") == "Active")
    return [step for step in status.get("remedies", []) if step["rung"] != "renegotiate"]


def stated(home: House, name: str) -> list[dict[str, Any]]:
    """The remedies in the signed log, in its order."""
    return list(home.tenure("contract", "audit", name, "-o", "json").json["remedies"])


def test_an_interrupted_remedy_is_finished_or_undone_never_both(home: House) -> None:
    print(f"{KILLS} kills, seed {SEED}, under a contract of {TERM_MINUTES} minutes")
    source = random.Random(SEED)
    contract = serve(home, term=f"{TERM_MINUTES}m")
    cpus = cpus_held(home, contract)
    begun_ns = time.time_ns()
    with load(home, contract):
        for _ in range(KILLS):
            with Interference(cpus, INTERFERERS):
                time.sleep(source.uniform(*ALIVE_SECONDS))
                os.kill(pid_of_plane(home), signal.SIGKILL)
                until(lambda: plane_of(home.path) is None, what="it is dead")
                home.must("up")
                consistent(home, contract.name)
                until(
                    lambda: concluded(home),
                    CONCLUDED_SECONDS,
                    lambda: f"a step that was begun is finished or judged: {told(home)}",
                )
            time.sleep(REST_SECONDS)
        # Whether it is kept again is the machine's affair as well as the remedy's, and proven by the quickstart.
        with suppress(AssertionError):
            until(lambda: ready(home), READY_SECONDS)
        print(f"ready afterwards: {ready(home)}; {told(home)}")
    taken = stated(home, contract.name)
    print(f"{len(taken)} steps stated: {[(one['rung'], one['outcome']) for one in taken]}")
    assert taken, "the interference was remedied at least once"
    consistent(home, contract.name)
    no_gap(home, contract, begun_ns)
    assert home.must("ledger", "check", "-o", "json").json["agrees"]
    bundle = home.path.parent / "bundle.jsonl"
    home.must("evidence", "export", contract.name, "--to", bundle)
    key = home.path.parent / "public.pem"
    key.write_text(home.must("evidence", "show", "--public-key").out)
    verified = home.tenure("evidence", "verify", bundle, "--public-key", key)
    assert verified.code in (0, 7), verified.out + verified.err


def concluded(home: House) -> bool:
    return all(step["outcome"] != "InProgress" for step in steps(home))


def told(home: House) -> str:
    """The steps, and the newest windows that they are judged by."""
    found = active(home)
    windows = found.status.windows if found is not None and found.status is not None else []
    return f"{steps(home)}; {[(w.verdict, w.reason, w.cause) for w in windows]}"


def ready(home: House) -> bool:
    found = active(home)
    assert found is not None
    assert found.status is not None
    return any(c.type == "Ready" and c.status == "True" for c in found.status.conditions)


def consistent(home: House, name: str) -> None:
    """Books, status and log agree on what was begun, and no two steps are under way."""
    with suppress(AssertionError):
        until(lambda: home.tenure("ledger", "check").code == 0, AGREED_SECONDS)
    said = home.tenure("ledger", "check")
    assert said.code == 0, said.out + said.err
    shown, log = steps(home), stated(home, name)
    assert sum(step["outcome"] == "InProgress" for step in shown) <= 1, shown
    begun = [one["rung"] for one in log]
    assert len(shown) <= len(log), "what is in the status was stated before"
    for step in shown:
        assert step["rung"] in begun, (step, log)
    finished = [step for step in shown if step["outcome"] != "InProgress"]
    for earlier, later in itertools.pairwise(finished):
        assert earlier["finishedAt"] <= later["startedAt"], "one after the other"


def no_gap(home: House, contract: Contract, begun_ns: int) -> None:
    """The workload's own journal has neither damage nor silence, whatever became of the control plane; and where the
    remedy was no restart, its own counter of tokens never fell."""
    folder = home.path / "runs" / contract.spec.hold.id
    reading = read_journal(folder / "journal", mark_ms=500)
    assert reading.damages == []
    state = LocalEngine(home.path).state(contract.spec.hold.id)
    restarts = sum(one["rung"] == "restart" for one in stated(home, contract.name))
    assert state.work.restarts <= restarts, "nobody but a remedy restarted it"
    if restarts == 0:
        counts = [s.output_tokens for s in read_journal(folder / "prober").scrapes if s.at_ns >= begun_ns]
        assert counts == sorted(c for c in counts if c is not None)
