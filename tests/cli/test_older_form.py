"""A need and its contract as an older version stored them, with rules beside `must` and preferences by name alone."""

from pathlib import Path

import pytest

from tenure.resources import Contract, Workload
from tests.cli import answers
from tests.cli.host import Shell
from tests.support.embedded import embedded_in_thread
from tests.support.unreadable import put_status, putting

OLDER = {"must": [], "prefer": [{"share": "machine"}], "linkBandwidthMin": "1GB/s", "numaDistanceMax": 10}
BODY = {"batch": {}, "run": {"command": ["true"]}, "resources": {"members": 2}, "topology": OLDER}
HELD = "tenure.dev/held"


def test_they_are_read_written_ended_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    quotes = [answers.quote("job-1", chosen={"unmet": ["level:machine"]})]
    answered = {"answer": {"kind": "Offers", "answeredAt": answers.NOW, "quotes": quotes}}
    agreed = {**answers.contract_object("job-1", "default", "job").spec.to_json(), "body": BODY}
    with embedded_in_thread(tmp_path) as host:
        put_status(host, Workload, putting(host, Workload, "job", BODY).result(), answered)
        putting(host, Contract, "job-1", agreed, finalizers=[HELD]).result()
        here = Shell(tmp_path, "default")
        for name in ("job", "contract/job-1"):
            told = here("why", name)
            assert (told.code, told.err) == (0, "")
            assert "level:machine, which was preferred; asked: not recorded" in " ".join(told.out.split())
        assert here("get", "contract", "job-1", "-o", "json").json["spec"]["body"] == BODY

        assert here("label", "workload", "job", "a=b").code == 0
        assert here("end", "job-1", "--no-wait").code == 0
        with here.controllers() as client:
            client.patch_status(Workload, "job", {"status": {"phase": "Contracted"}}, namespace="default")
            ended = {"status": {"phase": "Ended", "endedBecause": "EndedByUser"}}
            read = client.patch_status(Contract, "job-1", ended, namespace="default")
            assert read.spec.to_json()["body"]["topology"] == OLDER
            assert here("get", "contract", "job-1", "-o", "json").json["spec"]["body"] == BODY
            client.patch(Contract, "job-1", {"metadata": {"finalizers": []}}, namespace="default")
        assert here("get", "contracts", "-o", "name").out == ""
        assert here("delete", "workload", "job").out == 'workload.tenure.dev "job" deleted\n'


@pytest.mark.parametrize(
    ("unmet", "told"),
    [({"asked": "1", "found": "2", "preference": "rail", "later": "x"}, True), ({"later": "x"}, False)],
)
def test_why_of_a_contract_stands_over_an_answer_of_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unmet: dict[str, str], told: bool
) -> None:
    monkeypatch.setenv("TENURE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    quotes = [answers.quote("job-1", chosen={"unmet": [unmet]})]
    with embedded_in_thread(tmp_path) as host:
        answered = {"answer": {"kind": "Offers", "answeredAt": answers.NOW, "quotes": quotes}}
        put_status(host, Workload, putting(host, Workload, "job", BODY).result(), answered)
        putting(host, Contract, "job-1", answers.contract_object("job-1", "default", "job").spec.to_json()).result()
        said = Shell(tmp_path, "default")("why", "contract/job-1")
    assert (said.code, "rail, which was preferred" in said.out) == (0, told)
