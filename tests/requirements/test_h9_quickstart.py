"""H9, and parts of F4 and G4: from nothing to a live contract that answers, in minutes."""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts.fresh_clone import STEPS, prepare, run

from tenure.catalog import artifact_of, cached_path, models
from tests.requirements.home import House, house

pytestmark = pytest.mark.real
SECONDS_MAX = 300
(QUICKSTART,) = (step for step in STEPS if step.target == "quickstart")
NO_INDEX = re.compile("NewConnectionError|Network is unreachable|Temporary failure in name resolution|ProxyError")


def test_a_fresh_clone_has_a_live_contract_within_five_minutes(tmp_path: Path) -> None:
    """Set-up and all: the environment, the locked dependencies, the model. An empty home, no account, no cluster."""
    clone, said = prepare(tmp_path), list[str]()
    begun = time.monotonic()
    good, words = run(QUICKSTART, clone, tmp_path, said.append)
    took, told = time.monotonic() - begun, "\n".join(said)
    if not good and NO_INDEX.search(told):
        pytest.skip("no package index is reached from here, so nothing can be installed")
    assert good, f"{words}\n{told}"
    assert "Active" in told, told
    assert took < SECONDS_MAX, words


def test_the_quickstart_ends_with_a_live_contract_and_leaves_nothing(tmp_path: Path) -> None:
    if cached_path(artifact_of(models()[0])) is None:
        pytest.skip("the model is not here: tenure model fetch smollm2-135m-instruct")
    here = House(tmp_path / "home")
    begun = time.monotonic()
    said = here.tenure("quickstart", "--short")
    assert said.code == 0, said.out + said.err
    assert time.monotonic() - begun < SECONDS_MAX
    assert "Active" in said.out
    assert not here.path.exists(), "everything that it started is gone"


def test_twin_a_home_that_is_in_use_is_not_touched(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "precious").write_text("keep me")
    said = House(home).tenure("quickstart")
    assert said.code == 2
    assert "not empty" in said.err
    assert (home / "precious").read_text() == "keep me"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A home with a cache of its own, in which no model is yet."""
    monkeypatch.setenv("TENURE_CACHE", str(tmp_path / "cache"))
    made = house(tmp_path)
    try:
        yield made
    finally:
        made.close()


MODEL = """
apiVersion: tenure.dev/v1alpha1
kind: Model
metadata: {{name: {name}}}
spec: {{digest: "sha256:{digest}", size: "{size}", licence: Apache-2.0, sources: [{{file: {{path: {path}}}}}]}}
"""
NEED = """
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {name: chat, namespace: default}
spec:
  inference: {model: mine}
  load: {requestsPerSecond: 0.25, promptTokens: 40, outputTokens: 16}
  objectives: {timeToFirstToken: {p95: 2s}}
"""


def test_twin_a_model_that_is_not_what_it_says_is_not_served(own: House, tmp_path: Path) -> None:
    weights = tmp_path / "mine.gguf"
    weights.write_bytes(b"GGUF" + bytes(4096))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    about = {"size": weights.stat().st_size, "path": weights}
    own.must("apply", "-f", own.manifest("honest", MODEL.format(name="honest", digest=digest, **about)))
    own.must("apply", "-f", own.manifest("mine", MODEL.format(name="mine", digest="0" * 64, **about)))

    fetched = own.tenure("model", "fetch", "mine", "-o", "json")
    assert (fetched.code, fetched.out) == (7, "")
    refused = json.loads(fetched.err)
    assert [cause["code"] for cause in refused["details"]["causes"]] == ["DigestMismatch"]
    assert refused["details"]["causes"][0]["path"] == "spec.sources"
    kept = [file for file in (tmp_path / "cache" / "models").iterdir() if file.stat().st_size]
    assert kept == [], "nothing of it stays in the cache"

    asked = own.tenure("request", "-f", own.manifest("chat", NEED), "-o", "json")
    assert asked.code == 3, asked.out + asked.err
    assert json.loads(asked.err)["reason"] == "ModelNotFetched"
    assert own.must("get", "offers,contracts", "-o", "name").out == ""
    assert list((own.path / "runs").glob("*")) == [], "and nothing is run for it"

    own.must("model", "fetch", "honest")  # it was the digest, and nothing else
