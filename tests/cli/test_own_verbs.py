"""Tenure's own verbs: what they write, what they wait for, how they exit."""

from typing import Any

import pytest

from tenure.cli.failures import failure_of
from tenure.resources import Contract, Machine, ObjectMeta, Site, Workload
from tenure.resources.kinds.machine import MachineSpec
from tenure.resources.reasons import next_step
from tenure.sdk.needs import address_of
from tenure.sdk.outcomes import NoEndpoint
from tests.cli import answers
from tests.cli.hand import acting
from tests.cli.host import Shell
from tests.cli.manifests import CHAT, chat

ANSWERS = {
    "offers": (answers.offers, 0),
    "counter-offers": (answers.counter_offers, 6),
    "refusal": (answers.refused, 5),
}
FAILING = {
    "type": "Reconciled",
    "status": "False",
    "reason": "ReconcileFailed",
    "message": f"the control plane keeps failing on it (OSError); {next_step('ReconcileFailed')}",
    "lastTransitionTime": answers.NOW,
}


@pytest.mark.parametrize("case", ANSWERS)
def test_request_exits_by_its_answer(shell: Shell, case: str) -> None:
    make, code = ANSWERS[case]
    with acting(shell, answer=make()):
        ran = shell.here("request", "-f", "-", "-o", "json", stdin=CHAT)
    assert ran.code == code, ran.err
    assert ran.json["answer"]["kind"] == make().kind
    assert "contract" not in ran.json


@pytest.mark.parametrize("case", [*ANSWERS, "needs a trial"])
def test_ask_exits_by_its_answer_and_leaves_nothing(shell: Shell, case: str) -> None:
    make, code = {**ANSWERS, "needs a trial": (answers.needs_trial, 7)}[case]
    with acting(shell, answer=make()):
        ran = shell.here("ask", "-f", "-", "-o", "json", stdin=CHAT)
    assert ran.code == code, ran.err
    assert ran.json["answer"]["kind"] == make().kind
    assert shell.here("get", "workloads,offers,contracts,inquiries", "-o", "name").out == ""


def test_an_ask_that_nobody_answers_leaves_nothing_either(shell: Shell) -> None:
    ran = shell.here("ask", "-f", "-", "--timeout", "0s", stdin=CHAT)
    assert ran.code != 0
    assert "[Timeout]" in ran.err
    assert shell.here("get", "inquiries", "-o", "name").out == ""


def test_request_accepts_the_best_and_shows_the_contract(shell: Shell) -> None:
    with acting(shell):
        ran = shell.here("request", "-f", "-", "--accept", "best", stdin=CHAT)
    assert ran.code == 0, ran.err
    for expected in ("chat-3f2a1c Active", "✔ holds", "tenure env chat-3f2a1c"):
        assert expected in ran.out


def test_best_is_never_a_counter_offer_and_any_may_be(shell: Shell) -> None:
    with acting(shell, answer=answers.counter_offers()):
        assert shell.here("request", "-f", "-", "--accept", "best", stdin=CHAT).code == 6
        assert shell.here("get", "contracts", "-o", "name").out == ""
        assert shell.here("request", "-f", "-", "--accept", "any", stdin=CHAT).code == 0
    assert shell.here("get", "contracts", "-o", "name").out == "contract.tenure.dev/big-1\n"


def test_asking_again_for_what_holds_shows_the_contract_that_stands(shell: Shell) -> None:
    with acting(shell):
        shell.here("request", "-f", "-", "--accept", "best", stdin=CHAT)
        again = shell.here("request", "-f", "-", "-o", "json", stdin=CHAT)
    assert again.code == 0, again.err
    assert again.json["contract"]["metadata"]["name"] == "chat-3f2a1c"


def test_accept_waits_until_the_contract_is_active(shell: Shell) -> None:
    with acting(shell):
        shell.here("request", "-f", "-", stdin=CHAT)
        ran = shell.here("accept", "chat-77b0de", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["contract"]["status"]["phase"] == "Active"
    assert shell.here("get", "wl", "chat", "-o", "jsonpath={.spec.acceptedOffer}").out == "chat-77b0de"


def test_accept_gives_the_checkpoint_and_the_command_that_saves_it(shell: Shell) -> None:
    with acting(shell):
        shell.here("request", "-f", "-", stdin=CHAT)
        said = shell.here("accept", "chat-77b0de")
        ran = shell.here("accept", "chat-77b0de", "-o", "json")
    assert all(line in said.out for line in answers.CHECKPOINT.splitlines())
    assert ran.json["checkpoint"] == answers.CHECKPOINT
    command, _, file = ran.json["saveCheckpoint"].partition(" > ")
    assert command in said.out.replace("\n", " ")
    assert file == "chat-77b0de.checkpoint"
    assert shell(*command.split()[1:]).out.strip() == answers.CHECKPOINT.strip()


@pytest.mark.parametrize(
    ("acted", "named"),
    [
        ({"fails": [FAILING]}, "workload chat: "),
        ({"contract": {"phase": "Commissioning", "conditions": [FAILING]}}, "contract chat-3f2a1c: "),
    ],
    ids=["workload", "contract"],
)
def test_accept_ends_with_what_the_control_plane_keeps_failing_on(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, acted: dict[str, Any], named: str
) -> None:
    monkeypatch.setattr("tenure.sdk.blocking.FAILING_SECONDS_BORNE", 0.0)
    with acting(shell, **acted):
        shell.here("request", "-f", "-", stdin=CHAT)
        ran = shell.here("accept", "chat-3f2a1c", "--timeout", "20s", "-o", "json")
    assert (ran.code, ran.status["reason"]) == (7, "ReconcileFailed")
    assert ran.status["message"] == f"{named}the control plane keeps failing on it (OSError)"
    assert ran.status["nextStep"] == next_step("ReconcileFailed")


@pytest.mark.parametrize("reason", ["OfferExpired", "OfferSuperseded"])
def test_an_acceptance_that_comes_late_exits_4_and_says_why(shell: Shell, reason: str) -> None:
    with acting(shell, refuse=(reason, "somebody was faster")):
        shell.here("request", "-f", "-", stdin=CHAT)
        ran = shell.here("accept", "chat-3f2a1c", "-o", "json")
    assert (ran.code, ran.status["reason"]) == (4, reason)
    assert ran.status["nextStep"] == "accept one of the fresh offers"


def test_an_offer_that_has_expired_is_not_even_tried(shell: Shell) -> None:
    with shell.controllers() as client:
        client.create(answers.offer_object("old-1", shell.namespace, "chat", expires="2020-01-01T00:00:00Z"))
    ran = shell.here("accept", "old-1", "-o", "json")
    assert (ran.code, ran.status["reason"]) == (4, "OfferExpired")


def test_a_commissioning_that_does_not_hold_exits_1_with_its_words(shell: Shell) -> None:
    ended = {
        "phase": "Ended",
        "endedBecause": "CommissioningFailed",
        "commissioning": {"startedAt": answers.NOW, "holds": False, "message": "p95 was 1.4 s, promised 1 s"},
    }
    with acting(shell, contract=ended):
        ran = shell.here("request", "-f", "-", "--accept", "best", "-o", "json", stdin=CHAT)
    assert (ran.code, ran.status["reason"]) == (1, "CommissioningFailed")
    assert "p95 was 1.4 s" in ran.status["message"]


def test_a_missing_reference_is_said_at_once(shell: Shell) -> None:
    condition = {
        "type": "ReferencesFound",
        "status": "False",
        "reason": "ReferenceNotFound",
        "message": "model nonesuch does not exist",
        "lastTransitionTime": answers.NOW,
    }
    shell.here("apply", "-f", "-", stdin=CHAT)
    with shell.controllers() as client:
        from tenure.resources import Workload

        status = {"status": {"phase": "Pending", "conditions": [condition]}}
        client.patch_status(Workload, "chat", status, namespace=shell.namespace)
    ran = shell.here("request", "-f", "-", "-o", "json", stdin=CHAT)
    assert (ran.code, ran.status["reason"]) == (3, "ReferenceNotFound")
    assert "nonesuch" in ran.status["message"]


def test_a_wait_that_runs_out_exits_1(shell: Shell) -> None:
    ran = shell.here("request", "-f", "-", "--timeout", "300ms", stdin=CHAT)
    assert (ran.code, "[Timeout]" in ran.err) == (1, True)
    assert shell.here("request", "-f", "-", "--no-wait", stdin=CHAT).code == 0


def test_env_prints_what_openais_clients_read_quoted_for_the_shell(shell: Shell) -> None:
    with acting(shell):
        shell.here("request", "-f", "-", "--accept", "best", stdin=CHAT)
    assert shell.here("env", "chat").out == (
        "export OPENAI_BASE_URL=http://127.0.0.1:8001/v1\nexport OPENAI_API_KEY='tk-1 '\"'\"'$x'\"'\"''\n"
    )
    assert shell.here("env", "chat-3f2a1c", "--shell", "fish").out.startswith("set -gx OPENAI_BASE_URL ")
    assert shell.here("env", "chat", "-o", "json").json["env"]["OPENAI_API_KEY"] == "tk-1 '$x'"


def test_env_of_work_that_serves_nothing_says_so_and_what_shows_what_it_prints(shell: Shell) -> None:
    contract = answers.contract_object("job", "default", "job", phase="Active")
    content = contract.to_json()
    content["spec"]["body"] = {"command": {}, "run": {"command": ["true"]}}
    with pytest.raises(NoEndpoint) as never:
        address_of(Contract.model_validate(content))
    assert (never.value.reason, str(never.value)) == ("NoEndpoint", "contract job serves no endpoint")
    assert "tenure logs" in never.value.next_step
    waiting = answers.contract_object("chat", "default", "chat", phase="Commissioning")
    with pytest.raises(NoEndpoint) as yet:
        address_of(waiting)
    assert (yet.value.reason, "tenure wait contract/chat" in yet.value.next_step) == ("Commissioning", True)
    assert failure_of(never.value, ("env", "job")).reason == "NoEndpoint"


def test_end_deletes_the_contract_and_waits_until_it_is_gone(shell: Shell) -> None:
    with acting(shell):
        shell.here("request", "-f", "-", "--accept", "best", stdin=CHAT)
    ran = shell.here("end", "chat")
    assert (ran.code, ran.out) == (0, "contract chat-3f2a1c ended; what it held is free\n")
    assert "tenure edit workload chat" in ran.err
    assert shell.here("get", "contracts", "-o", "name").out == ""
    assert shell.here("env", "chat").code == 3


def test_why_tells_of_workloads_offers_contracts_and_inquiries(shell: Shell) -> None:
    with acting(shell, answer=answers.counter_offers()):
        shell.here("request", "-f", "-", stdin=CHAT)
    out = shell.here("why", "chat").out
    for expected in ("cores: 4 cores needed, 1 available, 3 in all", "░", "cores + holds", "tenure accept big-1"):
        assert expected in out
    assert shell.here("why", "workload/chat", "-o", "json").json["answer"]["refusal"]["binding"]["needed"] == 4


def test_trial_wishes_for_a_longer_measurement(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.cli.own.trial.BEGIN_SECONDS", 0.2)
    ran = shell.here("trial", "-f", "-", "--for", "10m", stdin=CHAT)
    assert (ran.code, "[NoEvidence]" in ran.err) == (7, True)
    found = shell.here("get", "wl", "chat", "-o", "json").json
    assert found["metadata"]["annotations"]["tenure.dev/trial-for"] == "10m"


def test_a_trial_of_what_is_not_there_says_so_and_does_not_wait_for_it_to_begin(shell: Shell) -> None:
    shell.here("apply", "-f", "-", stdin=CHAT)
    said = {"type": "ReferencesFound", "status": "False", "reason": "ModelNotFetched", "message": "no file"}
    with shell.controllers() as client:
        missing = [{**said, "lastTransitionTime": answers.NOW, "observedGeneration": 1}]
        client.patch_status(Workload, "chat", {"status": {"conditions": missing}}, namespace=shell.namespace)
    ran = shell.here("trial", "-f", "-", "--for", "10m", stdin=CHAT)
    assert (ran.code, ran.out) == (3, "")
    assert "[ModelNotFetched]" in ran.err
    assert "→ run `tenure model fetch NAME`" in ran.err


def test_work_that_is_not_measured_before_it_is_answered_has_no_trial(shell: Shell) -> None:
    job = "apiVersion: tenure.dev/v1alpha1\nkind: Workload\nmetadata: {name: job}\n"
    job += "spec: {command: {}, run: {command: [sleep, '60']}}\n"
    ran = shell.here("trial", "-f", "-", "--for", "10m", stdin=job)
    assert (ran.code, ran.out) == (2, "")
    assert "[NotTrialled]" in ran.err
    assert "tenure request -f FILE" in ran.err
    assert shell.here("get", "workloads", "-o", "name").out == ""


def test_a_wish_for_a_longer_measurement_comes_with_the_need_and_is_no_part_of_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a write of its own it would come after the trial that the need alone calls for has begun."""
    monkeypatch.setattr("tenure.cli.own.trial.BEGIN_SECONDS", 0.2)
    with shell.user() as client:
        version = client.list(Workload, namespace=shell.namespace).resource_version
        shell.here("trial", "-f", "-", "--for", "10m", stdin=CHAT)
        first = next(iter(client.watch(Workload, namespace=shell.namespace, resource_version=version))).object
    assert first is not None
    assert (first.metadata.annotations or {})["tenure.dev/trial-for"] == "10m"
    assert shell.here("apply", "-f", "-", stdin=CHAT).out.endswith("unchanged\n")
    kept = shell.here("get", "wl", "chat", "-o", "json").json["metadata"]["annotations"]
    assert kept["tenure.dev/trial-for"] == "10m"


def test_a_price_and_a_place_are_declared_and_shown(shell: Shell) -> None:
    suffix = shell.namespace
    with shell.user() as client:
        client.create(Site(metadata=ObjectMeta(name=f"site-{suffix}")))
        spec = MachineSpec(site=f"site-{suffix}", profile="hw-1")
        client.create(Machine(metadata=ObjectMeta(name=f"vm-{suffix}"), spec=spec))
    assert shell("price", "set", f"vm-{suffix}", "0.12 EUR").out == f"machine vm-{suffix} costs 0.12 EUR an hour\n"
    assert "0.12 EUR" in shell("price", "show").out
    assert shell("price", "set", f"vm-{suffix}", "none").code == 0
    ran = shell("site", "assert", f"site-{suffix}", "--country", "de", "--by", "A. Person", "--region", "Hesse")
    assert ran.code == 0
    assert f"site site-{suffix} stands in DE, Hesse (declared by A. Person at " in ran.out
    assert "DE, Hesse" in shell("site", "show").out


@pytest.mark.parametrize(
    ("code", "meant"), [("XX", "a code such as DE"), ("UK", "GB"), ("Germany", "a code such as DE")]
)
def test_a_place_in_no_country_is_refused_by_name(offline: Shell, code: str, meant: str) -> None:
    ran = offline("site", "assert", "local", "--country", code, "--by", "A. Person", "-o", "json")
    assert (ran.code, ran.status["reason"]) == (2, "UnknownCountry")
    (cause,) = ran.status["details"]["causes"]
    assert (cause["code"], cause["path"]) == ("UnknownCountry", "spec.location.country")
    assert ran.status["message"].endswith(f"write {meant}")
    assert ran.status["nextStep"]


def test_models_are_listed_without_a_host_too(offline: Shell) -> None:
    ran = offline("model", "list", "-o", "json")
    assert ran.code == 0
    assert "smollm2-135m-instruct" in [item["name"] for item in ran.json["items"]]
    assert offline("model", "show", "smollm2-135m-instruct").code == 0


def test_a_model_of_the_catalog_needs_no_host_and_says_nothing_of_one(offline: Shell) -> None:
    ran = offline("model", "show", "smollm2-135m-instruct")
    assert (ran.code, "host" in ran.err) == (0, False)
    ran = offline("model", "show", "nothing-like-it")
    assert ran.code == 3
    assert "in the catalog, and no host answers" in ran.err


def test_doctor_looks_without_a_host_too(offline: Shell) -> None:
    ran = offline("doctor", "-o", "json")
    assert ran.code in (0, 1)
    areas = {check["area"] for check in ran.json["checks"]}
    assert {"system", "serving", "enforced", "host"} <= areas


def test_a_request_that_is_stated_anew_replaces_the_need(shell: Shell) -> None:
    with acting(shell):
        shell.here("request", "-f", "-", stdin=CHAT)
        assert shell.here("request", "-f", "-", stdin=chat(term="{duration: 7d}")).code == 0
    assert shell.here("get", "wl", "chat", "-o", "jsonpath={.spec.term.duration}").out == "7d"


def test_status_and_get_sites_say_what_is_sold_and_held(shell: Shell) -> None:
    with shell.controllers() as client:
        client.create(Site(metadata=ObjectMeta(name="hall")))
        client.patch_status(Site, "hall", {"status": {"cores": 64, "coresHeld": 6, "gpus": 8, "gpusHeld": 1}})
    assert "6 of 64 cores held  1 of 8 GPUs held" in shell.here("status").out
    row = next(line for line in shell("get", "sites").out.splitlines() if line.startswith("hall"))
    assert row.split()[-5:-1] == ["64", "6", "8", "1"]
