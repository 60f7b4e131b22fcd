"""The SDK: a few steps from a need to an endpoint, blocking and asynchronous; wrong needs are never sent."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import tenure
from tenure import AsyncClient, Client
from tenure.client import from_home
from tenure.resources import Workload
from tenure.resources.problems import ProblemsFound
from tenure.sdk import CommissioningFailed, NoEndpoint, NotAccepted, NothingToAccept
from tests.cli import answers
from tests.cli.hand import acting
from tests.cli.host import Shell
from tests.cli.manifests import CHAT
from tests.cli.wrong_input import CASES, REACHING, written

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NEED: dict[str, Any] = {
    "name": "chat",
    "inference": {"model": "smollm2-135m-instruct"},
    "load": {"requestsPerSecond": 0.25},
    "objectives": {"timeToFirstToken": {"p95": "1s"}},
}


def blocking(shell: Shell) -> Client:
    return Client(home=shell.home, namespace=shell.namespace)


def test_the_package_offers_both_clients_and_nothing_more() -> None:
    assert sorted(tenure.__all__) == ["AsyncClient", "Client", "__version__"]
    with pytest.raises(AttributeError):
        getattr(tenure, "nothing")  # noqa: B009


def test_from_a_need_to_an_endpoint(shell: Shell) -> None:
    told: list[str] = []
    with acting(shell), blocking(shell) as client:
        workload = client.request(NEED, progress=told.append)
        assert workload.status is not None
        assert workload.status.answer is not None
        contract = client.accept(workload.status.answer.quotes[0], progress=told.append)
        endpoint = client.endpoint(contract)
        client.end(contract)
    assert endpoint.environment() == {"OPENAI_BASE_URL": "http://127.0.0.1:8001/v1", "OPENAI_API_KEY": "tk-1 '$x'"}
    assert "Offers" in told
    assert "Active" in told


async def test_the_same_without_blocking(shell: Shell) -> None:
    with acting(shell):
        async with AsyncClient(home=shell.home, namespace=shell.namespace) as client:
            workload = await client.request(NEED)
            assert workload.status is not None
            assert workload.status.answer is not None
            contract = await client.accept(workload.status.answer.quotes[0])
            endpoint = await client.endpoint(contract)
            await client.end(contract)
            assert (await client.ask(NEED)).kind == "Offers"
    assert endpoint.api_key == "tk-1 '$x'"


def test_needs_come_as_files_objects_and_mappings(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "chat.yaml"
    file.write_text(CHAT)
    whole = {"apiVersion": "tenure.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "chat"}}
    needs: list[Any] = [file, str(file), NEED, {**whole, "spec": {k: v for k, v in NEED.items() if k != "name"}}]
    with acting(shell), blocking(shell) as client:
        for need in needs:
            assert client.ask(need).kind == "Offers"
        assert client.ask(Workload.model_validate(needs[-1])).kind == "Offers"


@pytest.mark.parametrize(
    ("need", "code", "path"),
    [
        ({**NEED, "loud": {}}, "UnknownField", "spec.loud"),
        ({**NEED, "load": {"requestsPerSecond": "many"}}, "InvalidQuantity", "spec.load.requestsPerSecond"),
        ({k: v for k, v in NEED.items() if k != "name"}, "MissingField", "metadata.name"),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}, "UnknownKind", "kind"),
    ],
)
def test_a_wrong_need_is_refused_and_leaves_nothing_behind(shell: Shell, need: Any, code: str, path: str) -> None:
    with blocking(shell) as client:
        before = shell.objects()
        with pytest.raises(ProblemsFound) as found:
            client.request(need)
        assert shell.objects() == before
    (problem,) = found.value.problems
    assert (problem.code, problem.path) == (code, path)
    assert problem.next_step


@pytest.mark.parametrize("verb", ["ask", "request"])
@pytest.mark.parametrize("case", CASES)
def test_a_wrong_file_is_refused_as_by_the_command_line(shell: Shell, tmp_path: Path, case: str, verb: str) -> None:
    _, code, path = CASES[case]
    file = tmp_path / "m.yaml"
    file.write_bytes(written(case))
    before = shell.objects()
    with blocking(shell) as client, pytest.raises(ProblemsFound) as found:
        getattr(client, verb)(file)
    problem = found.value.problems[0]
    assert (problem.code, problem.path) == (code, path)
    assert problem.next_step
    assert shell.objects() == before, "nothing of it is left behind"


@pytest.mark.parametrize("case", REACHING)
def test_a_wrong_mapping_is_refused_alike(shell: Shell, case: str) -> None:
    _, code, path = CASES[case]
    before = shell.objects()
    with blocking(shell) as client, pytest.raises(ProblemsFound) as found:
        client.request(yaml.safe_load(written(case)))
    assert (found.value.problems[0].code, found.value.problems[0].path) == (code, path)
    assert shell.objects() == before, "nothing of it is left behind"


def test_a_counter_offer_is_an_answer_and_no_exception(shell: Shell) -> None:
    with acting(shell, answer=answers.counter_offers()), blocking(shell) as client:
        workload = client.request(NEED)
    assert workload.status is not None
    assert workload.status.answer is not None
    assert workload.status.answer.kind == "CounterOffers"


def test_quotes_cannot_be_accepted_nor_offers_that_are_not_there(shell: Shell) -> None:
    with acting(shell, answer=answers.answer(quotes=[answers.quote(None)])), blocking(shell) as client:
        quote = client.ask(NEED).quotes[0]
        with pytest.raises(NothingToAccept):
            client.accept(quote)
        with pytest.raises(NotAccepted) as gone:
            client.accept("nobody")
    assert gone.value.reason == "OfferNotFound"


def test_an_acceptance_that_was_refused_before_does_not_refuse_the_next(shell: Shell) -> None:
    with acting(shell, refuse=("OfferExpired", "too late")) as hand, blocking(shell) as client:
        client.request(NEED)
        with pytest.raises(NotAccepted):
            client.accept("chat-3f2a1c")
        hand.refuse = None
        assert client.accept("chat-77b0de").name == "chat-77b0de"


def test_a_failed_commissioning_carries_its_contract(shell: Shell) -> None:
    ended = {"phase": "Ended", "endedBecause": "StartFailed"}
    with acting(shell, contract=ended), blocking(shell) as client:
        client.request(NEED)
        with pytest.raises(CommissioningFailed) as failed:
            client.accept("chat-3f2a1c")
    assert (failed.value.reason, failed.value.contract.name) == ("StartFailed", "chat-3f2a1c")


def test_a_contract_that_starts_later_is_not_waited_for(shell: Shell) -> None:
    later = {"type": "Ready", "status": "False", "reason": "Scheduled", "message": "it starts later"}
    status = {"phase": "Commissioning", "conditions": [{**later, "lastTransitionTime": answers.NOW}]}
    with acting(shell, contract=status), blocking(shell) as client:
        client.request(NEED)
        contract = client.accept("chat-3f2a1c")
        with pytest.raises(NoEndpoint):
            client.endpoint(contract)


def test_stating_the_same_need_again_changes_nothing(shell: Shell) -> None:
    with acting(shell), blocking(shell) as client:
        first = client.request(NEED)
        client.accept("chat-3f2a1c")
        again = client.request(NEED)
    assert again.spec.accepted_offer == "chat-3f2a1c"
    assert first.uid == again.uid


def test_a_connection_may_be_given(shell: Shell) -> None:
    with Client(from_home(shell.home)) as client:
        assert client.namespace == "default"


def test_the_example_is_ten_lines_and_compiles() -> None:
    text = (EXAMPLES / "chat.py").read_text()
    body = text.split('"""', 2)[2]
    code = [line for line in body.splitlines() if line and not line.startswith(("import", "from"))]
    assert len(code) <= 10
    compile(text, "chat.py", "exec")
    assert (EXAMPLES / "chat.yaml").read_text().count("\n") <= 10
