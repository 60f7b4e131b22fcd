"""G9: every layer of a real contract is seen, with its age; a silent source is a hole; a request is traced."""

import json
import os
import signal
import urllib.request
from typing import Any

import psutil
import pytest

from tenure.resources import Contract
from tests.requirements.home import House
from tests.requirements.served import endpoint, serve, until

pytestmark = pytest.mark.real
SEEN = {"hardware", "limits", "cores", "process", "application", "from outside", "server", "promise"}


@pytest.fixture(scope="module")
def chat(home: House) -> Contract:
    return serve(home)


def layers(home: House) -> tuple[int, dict[str, dict[str, Any]]]:
    said = home.tenure("observe", "coverage", "-o", "json")
    return said.code, {layer["layer"]: layer for layer in said.json["contracts"][0]["layers"]}


def test_no_layer_that_can_be_seen_is_a_hole(home: House, chat: Contract) -> None:
    # One look, kept: on a busy machine a layer may be older than it may be for a moment, and is a hole for that long.
    _, found = until(lambda: (seen := layers(home))[0] == 0 and seen, 120, lambda: str(layers(home)))
    assert {name for name, layer in found.items() if layer["state"] == "seen"} >= SEEN
    for layer in found.values():
        assert layer["ageMsMax"] is None or layer["ageMs"] <= layer["ageMsMax"]
    assert found["hardware"]["ageMs"] is not None, "a scan is as old as the start of the control plane"
    unseen = [layer for layer in found.values() if layer["state"] == "unobservable"]
    assert all(layer["said"] for layer in unseen), "what nobody can see here says why"


def test_a_request_is_traced_through_its_layers(home: House, chat: Contract) -> None:
    at = endpoint(home, chat)
    body = {"model": at.model, "max_tokens": 8, "messages": [{"role": "user", "content": "Say yes."}], "stream": True}
    headers = {"Authorization": f"Bearer {at.api_key}", "Content-Type": "application/json", "X-Request-Id": "traced-1"}
    sent = urllib.request.Request(f"{at.base_url}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(sent, timeout=30) as answer:
        answer.read()
    said = until(lambda: _traced(home), what="its request is traced")
    by_layer = {layer["layer"]: layer for layer in said["layers"]}
    assert "first token after" in by_layer["response"]["said"]
    assert said["firstTokenNs"] > 0
    assert str(chat.spec.hold.claims[0].cores[0]) in by_layer["cores"]["said"]
    assert "agree" in by_layer["limits"]["said"]
    assert by_layer["power"]["said"], "its power, or why nobody knows it"


def _traced(home: House) -> Any:
    said = home.tenure("observe", "request", "traced-1", "-o", "json")
    return said.json if said.code == 0 else None


def test_twin_a_request_that_nobody_sent_is_not_found(home: House, chat: Contract) -> None:
    assert home.tenure("observe", "request", "never-sent").code == 3


def test_twin_a_source_that_falls_silent_is_a_hole_by_name(home: House, chat: Contract) -> None:
    config = home.path / "runs" / chat.spec.hold.id / "work" / "prober.json"
    prober = next(p.pid for p in psutil.process_iter(["cmdline"]) if str(config) in (p.info["cmdline"] or []))
    os.kill(prober, signal.SIGSTOP)
    try:
        what = "the prober's silence is a hole, and so are the counters that it reads; what the tap sees is none"
        code, _ = until(lambda: _silent(home), 120, lambda: f"{what}: {layers(home)}")
        assert code == 1
    finally:
        os.kill(prober, signal.SIGCONT)


def _silent(home: House) -> tuple[int, dict[str, dict[str, Any]]] | None:
    """One look at which what the prober sees and reads is a hole, and what the tap sees is not."""
    code, found = layers(home)
    states = tuple(found[name]["state"] for name in ("from outside", "server", "application"))
    return (code, found) if states == ("hole", "hole", "seen") else None
