"""A starved server breaks its windows while its answers still run; what was said then is said for good, and proven."""

from pathlib import Path

import pytest

from tenure.controllers.contract.checking import Recomputing
from tenure.controllers.contract.judging import PROBER, run_folder
from tenure.controllers.contract.stating import checkpoint_of, state_terms
from tenure.evidence import contract_source, export_bundle, verify_bundle
from tenure.measurement import JournalWriter
from tenure.measurement.scrape import Scrape
from tenure.promises import Reason, Verdict
from tenure.resources import Contract
from tests.controllers.test_judging import NS, Service

S = 1000 * NS


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Gaps within 100 ms are promised, under answers of forty tokens."""
    made = Service(tmp_path)
    wire = made.contract.to_json()
    load = wire["spec"]["promises"]["load"] | {"outputTokens": 40}
    (promise,) = wire["spec"]["promises"]["statistical"]
    promise |= {"metric": "interTokenLatency", "evidence": promise["evidence"] | {"load": load}}
    wire["spec"]["promises"]["load"] = load
    made.contract = Contract.model_validate(wire)
    return made


def drip(service: Service, number: int, tokens: range) -> None:
    """A token each second, and a mark behind it."""
    for token in tokens:
        service.clock.advance(1000)
        service.tap.append("mark", {**service.clocks(), "inFlight": [[number, token, (token - 1) * S + S // 2]]})


def test_its_window_is_broken_before_the_answer_ends_and_stays_so(service: Service, tmp_path: Path) -> None:
    state_terms(service.plane, service.contract)
    note = checkpoint_of(service.plane, service.contract)
    service.serve(8)  # four quick answers of three tokens: eight gaps
    asked = {"id": service.tap.sequence + 1, "arrivalNs": service.clock.now_ms() * NS, "role": "user"}
    service.tap.append("start", asked)
    service.tap.append("first", {"id": asked["id"], "afterNs": S // 2})
    drip(service, asked["id"], range(1, 3))
    assert service.judge() == [(Verdict.UNVERIFIABLE, Reason.NOT_SETTLED)], (
        "a late gap and an open one, of 47, may be mended"
    )
    drip(service, asked["id"], range(3, 5))
    assert service.judge() == [(Verdict.BREACHED, Reason.BOUND_EXCEEDED)]

    gaps = [S] * 4 + [NS] * 35
    ended = {"status": 200, "how": "answered", "streamed": True, "promptTokens": 40, "outputTokens": 40}
    service.tap.append("end", asked | ended | {"firstNs": S // 2, "gapsNs": gaps, "endNs": S // 2 + sum(gaps)})
    service.serve(6)
    assert service.judge()[0] == (Verdict.BREACHED, Reason.BOUND_EXCEEDED)
    bundle, keys = tmp_path / "bundle", service.plane.keys
    source = contract_source(service.contract.uid)
    export_bundle(service.plane.log, bundle, sources=[source], keys=keys, at_ms=service.clock.now_ms())
    found = verify_bundle(bundle, public_key=keys.signing.public, checkpoint=note, recompute=Recomputing())
    assert not found.failures, found.failures


def test_a_server_that_counts_a_token_for_whoever_left_a_while_ago_is_believed(service: Service) -> None:
    wire = service.contract.to_json()
    wire["spec"]["promises"]["views"] = ["tap", "metrics"]
    service.contract = Contract.model_validate(wire)
    prober = JournalWriter(run_folder(service.plane, service.contract) / PROBER, read_clocks=service.clocks)
    asked = {"id": 2, "arrivalNs": service.clock.now_ms() * NS, "role": "user"}
    service.tap.append("start", asked)
    said: list[Reason] = []
    for second in range(1, 122):
        service.clock.advance(1000)
        if second == 60:
            left = {"status": 0, "how": "abandoned", "streamed": False, "promptTokens": None, "outputTokens": 0}
            service.tap.append("end", asked | left | {"firstNs": None, "gapsNs": [], "endNs": 60 * S})
        service.tap.append("mark", {**service.clocks(), "inFlight": []})
        counted = Scrape(service.clock.now_ms() * NS, float(second > 115), None, None, None)
        prober.append("scrape", dict(counted.as_record()))
        said = [reason for _, reason in service.judge()] if second % 10 == 1 else said
    assert said[1:] == [Reason.TOO_FEW_SAMPLES] * 11, "its step took as long as he had waited"
