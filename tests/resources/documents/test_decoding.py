"""A manifest's errors come all at once, each with its code, the path a user would write, and the next step."""

import pytest
from inline_snapshot import snapshot

from tenure.resources import Workload
from tenure.resources.documents import decode_all, parse_documents
from tenure.resources.problems import PROBLEMS_MAX, Problem, ProblemsFound
from tenure.resources.spelling import did_you_mean
from tests.cli.manifests import CHAT, chat


def problems(text: str) -> list[Problem]:
    with pytest.raises(ProblemsFound) as found:
        decode_all(parse_documents(text, source="m.yaml"))
    return list(found.value.problems)


def shown(text: str) -> list[tuple[str, str, str, str]]:
    return [(p.code, p.path, p.message, p.next_step) for p in problems(text)]


def test_the_ten_lines_decode() -> None:
    (workload,) = decode_all(parse_documents(CHAT))
    assert isinstance(workload, Workload)
    assert workload.spec.objectives is not None
    assert str(workload.spec.objectives.latencies()[0][2]) == "1s"


def test_all_errors_of_all_documents_at_once() -> None:
    first = chat("one", load="{requestsPerSecond: abc, promptTokens: '50', output_tokens: 40}")
    second = chat("two", objectives="{timeToFirstToken: {p95: -1s}, interTokenLatency: {p95: 60}}")
    third = "apiVersion: tenure.dev/v1alpha1\nkind: Workloat\nmetadata: {name: x}\n"
    fourth = "apiVersion: v1\nkind: Offer\nmetadata: {name: x}\n"
    assert shown("---\n".join([first, second, third, fourth])) == snapshot(
        [
            (
                "InvalidQuantity",
                "spec.load.requestsPerSecond",
                "'abc' does not start with a number",
                "write it like 0.25",
            ),
            (
                "InvalidValue",
                "spec.load.promptTokens",
                "must be an integer, not '50'",
                "see `tenure explain workload.spec.load.promptTokens`",
            ),
            (
                "UnknownField",
                "spec.load.output_tokens",
                "unknown field; did you mean outputTokens?",
                "write outputTokens",
            ),
            (
                "InvalidQuantity",
                "spec.objectives.timeToFirstToken.p95",
                "-1s is negative",
                "write it like 500ms",
            ),
            (
                "InvalidQuantity",
                "spec.objectives.interTokenLatency.p95",
                "60 has no unit",
                "write it like 500ms",
            ),
            ("UnknownKind", "kind", "no kind Workloat is served; did you mean Workload?", "see `tenure api-resources`"),
            (
                "UnknownKind",
                "apiVersion",
                "Offer is not served in v1",
                "write apiVersion: tenure.dev/v1alpha1 and kind: Offer",
            ),
        ]
    )


def test_each_problem_names_its_file_line_and_object() -> None:
    text = f"{CHAT}---\n{chat('two', term='{duration: -3d}')}"
    (problem,) = problems(text)
    assert (problem.source, problem.line, problem.object_name) == ("m.yaml", 17, "workload/two")
    assert (problem.code, problem.path) == ("InvalidQuantity", "spec.term.duration")


@pytest.mark.parametrize(
    ("replaced", "code", "path"),
    [
        ({"inference": "{model: m}\n  training: {}"}, "ExactlyOneOf", "spec"),
        ({"inference": "{}"}, "MissingField", "spec.inference.model"),
        ({"load": "{requestsPerSecond: 0}"}, "InvalidLoad", "spec.load"),
        ({"load": "{requestsPerSecond: 1, promptTokens: 0}"}, "InvalidValue", "spec.load.promptTokens"),
        ({"objectives": "{timeToFirstToken: {}}"}, "ObjectiveEmpty", "spec.objectives.timeToFirstToken"),
        (
            {"objectives": "{timeToFirstToken: {p50: 2s, p95: 1s}}"},
            "ContradictoryObjectives",
            "spec.objectives.timeToFirstToken",
        ),
        ({"objectives": "{stepTime: {p95: 1s}}"}, "ObjectiveMissing", "spec"),
        ({"objectives": "{completion: {}}"}, "ExactlyOneOf", "spec.objectives.completion"),
        (
            {"objectives": "{completion: {by: 2030-01-01T00:00:00Z, within: 2h}}"},
            "ExactlyOneOf",
            "spec.objectives.completion",
        ),
        ({"objectives": "{completion: {within: 0s}}"}, "ContradictoryObjectives", "spec.objectives.completion"),
        ({"objectives": "{completion: {within: soon}}"}, "InvalidQuantity", "spec.objectives.completion.within"),
        ({"term": "{start: tomorrow}"}, "InvalidInstant", "spec.term.start"),
        ({"term": "{duration: 0s}"}, "InvalidTerm", "spec.term"),
        ({"term": "[30d]"}, "InvalidValue", "spec.term"),
    ],
)
def test_wrong_values_are_found_where_they_stand(replaced: dict[str, str], code: str, path: str) -> None:
    found = problems(chat(**replaced))
    assert (found[0].code, found[0].path) == (code, path)
    assert all(problem.next_step for problem in found)


@pytest.mark.parametrize(
    ("replaced", "message", "step"),
    [
        ({"term": "{duration: 0s}"}, "duration is zero", "ask for at least a second"),
        ({"load": "{requestsPerSecond: 0}"}, "nothing is promised under no load", "ask for more than 0"),
        ({"objectives": "{timeToFirstToken: {}}"}, "names no percentile", "name one, for example p95: 1s"),
        ({"term": "{duration: -3d}"}, "-3d is negative", "write it like 500ms"),
        ({"term": "{duration: 3 h; write it}"}, "use one of: ns us ms s m h d w (like 500ms)", "write it as"),
        (
            {"inference": ""},
            "names none of inference, training, finetuning, batch, agent, command; exactly one is meant",
            "name one of them",
        ),
        ({"inference": "{model: m}\n  training: {}"}, "exactly one is meant", "leave all but one of them out"),
        ({"term": "{start: tomorrow}"}, "'tomorrow' is no RFC 3339 time", "write it like 2026-12-01T09:00:00Z"),
    ],
)
def test_what_to_do_is_said_once(replaced: dict[str, str], message: str, step: str) -> None:
    found = problems(chat(**replaced))[0]
    assert found.message.endswith(message)
    assert found.next_step.startswith(step)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (chat(load="\n    requestsPerSecond: abc\n    nonsense: 1"), [7, 8]),
        (f"# a comment\n---\n{chat(load='{requestsPerSecond: abc}')}", [8]),
        (chat(inference="{}"), [5]),
        ('{"apiVersion": "tenure.dev/v1alpha1",\n "kind": "Workload",\n "metadata": {"name": 5}}', [1, 3]),
    ],
)
def test_each_problem_names_the_line_of_its_field_or_of_what_is_around_it(text: str, lines: list[int]) -> None:
    assert sorted(problem.line for problem in problems(text)) == lines


def test_numbers_in_quotes_are_no_numbers_as_a_crd_would_have_it() -> None:
    (problem,) = problems(chat(load="{requestsPerSecond: 1, promptTokens: '017'}"))
    assert (problem.code, problem.path) == ("InvalidValue", "spec.load.promptTokens")


def test_a_flood_of_errors_is_counted_not_listed() -> None:
    flood = chat() + "".join(f"  nonsense{number}: 1\n" for number in range(20_000))
    found = problems(flood)
    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1].message == f"and {20_000 - PROBLEMS_MAX} more problems in the same document"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("modle", "model"),
        ("output_tokens", "outputTokens"),
        ("timetofirsttoken", "timeToFirstToken"),
        ("time-to-first-token", "timeToFirstToken"),
        ("zzz", None),
    ],
)
def test_near_spellings_are_recognised(given: str, meant: str | None) -> None:
    assert did_you_mean(given, ["model", "outputTokens", "timeToFirstToken"]) == meant
