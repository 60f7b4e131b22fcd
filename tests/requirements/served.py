"""A contract over the real model, and requests to it as its user sends them."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, TypeVar

import pytest

from tenure.catalog import artifact_of, cached_path, models
from tenure.cli.cpus import held_cpus
from tenure.cli.quickstart.load import Load
from tenure.cli.running import plane_of
from tenure.client import Client, from_home
from tenure.controllers.workload.trial import AFTER_FAILURE_MS
from tenure.measurement import Endpoint, TrialPlan
from tenure.promises import Load as DeclaredLoad
from tenure.resources import Contract, Offer, Secret
from tests.requirements.home import House, Said

T = TypeVar("T")
NEED = """
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {{name: {name}, namespace: default}}
spec:
  inference: {{model: smollm2-135m-instruct}}
  load: {{requestsPerSecond: 1.5, promptTokens: 40, outputTokens: 16}}
  objectives: {{timeToFirstToken: {{p95: 2s}}, interTokenLatency: {{p95: 150ms}}}}
  assurance: {assurance}
  term: {{duration: {term}}}
"""
ASSURANCE = "{window: 1s, share: 0.75, confidence: 0.75}"
COUNTER_OFFERED = 6
ATTEMPTS = 6
"""A commissioning measures for four seconds: a machine that is busy for a minute turns several away in a row."""
OUT_OF_TIME, TRIALS, REST_SECONDS = "its time passed, before it was done", 4, AFTER_FAILURE_MS / 1000 + 2
"""What is said of a trial that a slow machine did not finish within its hold. What it measured is kept, and the rest is
measured after a while."""
OFFERED_SECONDS = 120
UNTIL_SECONDS = 60
"""Most of what is waited for comes within two seconds, on a quiet machine; nobody waits longer for it than it takes."""


def until(
    look: Callable[[], T | Literal[False] | None],
    seconds: float = UNTIL_SECONDS,
    what: str | Callable[[], str] = "",
) -> T:
    """What `look` finds once it finds anything; `what` says, or tells by looking, what was waited for in vain. What
    stood in its home then is told with the failure (tests/support/last_words.py)."""
    give_up = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < give_up, (what() if callable(what) else what) or "it never came to be"
        time.sleep(0.2)
    return found


def serve(home: House, name: str = "chat", term: str = "20m", assurance: str = ASSURANCE) -> Contract:
    """The model under contract: trialled, offered, accepted, commissioned. Skips where the model is not here."""
    if cached_path(artifact_of(models()[0])) is None:
        pytest.skip("the model is not here: tenure model fetch smollm2-135m-instruct")
    path = home.manifest(name, NEED.format(name=name, term=term, assurance=assurance))
    accept(home, name, asked(home, "request", "-f", path, "--accept", "best"))
    found = until(lambda: active(home, name), what=f"{name} is Active")
    assert found is not None
    return found


def asked(home: House, *words: object) -> Said:
    """What a need comes to that is measured first; asked again while its trial was out of time, as a person would."""
    for _ in range(TRIALS):
        said = home.tenure(*words)
        if OUT_OF_TIME not in " ".join((said.out + said.err).split()):
            break
        time.sleep(REST_SECONDS)
    return said


def accept(home: House, name: str, said: Said, wanted: Callable[[Offer], bool] = lambda offer: True) -> None:
    """Accept what a request was answered with, as a person would: a counter-offer where a busy machine was measured a
    little slower than asked, a fresh offer where it was too busy to be commissioned just then."""
    heard = [said]
    for _ in range(ATTEMPTS):
        if heard[-1].code != COUNTER_OFFERED and "CommissioningFailed" not in heard[-1].out + heard[-1].err:
            break
        offer = until(
            lambda: held_offer(home, name, wanted), OFFERED_SECONDS, lambda: f"no such offer is held after {heard}"
        )
        heard.append(home.tenure("accept", offer.name))
    assert heard[-1].code == 0, heard


def held_offer(home: House, name: str, wanted: Callable[[Offer], bool]) -> Offer | None:
    """An offer to this workload that is held now."""
    items = home.must("get", "offers", "-o", "json").json["items"]
    offers = [Offer.model_validate(item) for item in items]
    held = [o for o in offers if o.spec.workload.name == name and o.status and o.status.phase == "Held"]
    return next((offer for offer in held if wanted(offer)), None)


def active(home: House, name: str = "chat") -> Contract | None:
    """Its Active contract, as it is now."""
    items = home.must("get", "contracts", "-o", "json").json["items"]
    found = [Contract.model_validate(item) for item in items]
    live = [c for c in found if c.spec.workload.name == name and c.status and c.status.phase == "Active"]
    return live[0] if live else None


def endpoint(home: House, contract: Contract) -> Endpoint:
    """The contract's endpoint with its user's key."""
    assert contract.status is not None
    assert contract.status.endpoint is not None
    said = home.must("get", "secret", contract.status.credential, "-o", "json").json
    assert contract.spec.body.inference is not None
    key = Secret.model_validate(said).text("OPENAI_API_KEY")
    return Endpoint(contract.status.endpoint, contract.spec.body.inference.model, key)


def ready_shown(home: House, name: str = "chat") -> tuple[str, str]:
    """`Ready` of its Active contract as the door shows it now, and why."""
    found = active(home, name)
    assert found is not None, "it is still under contract"
    assert found.status is not None
    condition = next(c for c in found.status.conditions if c.type == "Ready")
    return condition.status, condition.reason


def load(home: House, contract: Contract, folder: Path | None = None) -> AbstractContextManager[Load]:
    """Its declared load, for as long as the block lasts; from cores that it does not hold. What it notes lies in
    `folder`, beside the home where none is named."""
    declared = contract.spec.promises.load
    assert declared is not None
    term, window_ms = contract.spec.term, contract.spec.promises.statistical[0].window.ms
    plan = TrialPlan(
        load=DeclaredLoad(int(declared.requests_per_second), declared.prompt_tokens, declared.output_tokens),
        window_ms=window_ms,
        windows=-(-(int(term.end) - int(term.start)) // window_ms),  # longer than any block can last
        warmup_ms=0,
    )
    others = os.sched_getaffinity(0) - set(cpus_held(home, contract))
    return Load(folder or home.path.parent, endpoint(home, contract), plan, tuple(others))


def cpus_held(home: House, contract: Contract) -> tuple[int, ...]:
    """The logical CPUs of the cores that it holds, siblings among them."""
    with Client(from_home(home.path)) as client:
        return held_cpus(client, contract)


def pid_of_plane(home: House) -> int:
    """The control plane's process."""
    running = plane_of(home.path)
    assert running is not None, "the control plane runs"
    pid: int = running["pid"]
    return pid
