"""Broken JSON and YAML, as a file or as a body: each is read or refused by a known code, in time, and never a crash."""

import json
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.resources.documents import SIZE_BYTES_MAX, decode_all, parse_documents
from tenure.resources.plain_yaml import PATHS_CHARACTERS_MAX, field_lines
from tenure.resources.problems import Problem, ProblemsFound
from tenure.resources.reasons import BY_CODE
from tenure.server import documents as bodies
from tenure.server.documents import AT_ONCE_BYTES_MAX, parse_object, parsed
from tenure.server.refusals import Cause, Refused
from tests.cli.manifests import CHAT

SECONDS_MAX = 1.0
"""Of this process, for a body or file of the largest size."""
AS_JSON = json.dumps({"apiVersion": "v1", "kind": "Workload", "spec": {"members": [{"cores": 1.5}, {"n": "é"}]}})

pieces = st.sampled_from(
    [
        *(b"\xff", b"\xed\xa0\x80", b"\\ud800", b'"\\ud800": 1, ', b"\\x", b"\\u12", b"\\", b'"', b"\0", b"\t", b"\n"),
        *(b"[" * 1200, b'{"a":' * 1200, b"- " * 1200, b"[[[[", b"}}", b'\\"' * 400, b"9" * 5000, b"1e999 ", b"NaNx"),
        *(b"#c\n" * 20, b"\n---\n", b"...\n", b"&a ", b"*a ", b"? ", b"kind", b"{", b"]", b":", b",", b"\xc3"),
    ]
)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from([CHAT.encode(), AS_JSON.encode()]))
    for _ in range(draw(st.integers(1, 3))):
        cut, gone = draw(st.integers(0, len(text))), draw(st.integers(0, 6))
        text = text[:cut] + draw(pieces | st.binary(max_size=3)) + text[cut + gone :]
    return text[: draw(st.integers(1, len(text)))] if draw(st.booleans()) else text


def of_file(data: bytes | str, source: str = "m.yaml") -> list[Problem]:
    """All that is wrong with a file; each has a known code, words that can be printed, and a step."""
    try:
        decode_all(parse_documents(data, source=source))
    except ProblemsFound as found:
        for problem in found.problems:
            assert problem.code in BY_CODE, problem
            assert problem.next_step, problem
            assert f"{problem.path}{problem.message}".encode()
        return list(found.problems)
    return []


def of_body(data: bytes) -> Cause | None:
    """What is wrong with a body: of a known code, and such that it can be sent."""
    try:
        parse_object(data)
    except Refused as refused:
        (cause,) = refused.causes
        assert cause.reason in BY_CODE
        assert json.dumps(cause.to_json(), ensure_ascii=False).encode()
        return cause
    return None


@settings(max_examples=25)
@given(data=broken(), source=st.sampled_from(["m.yaml", "m.json"]))
def test_of_anything_broken_the_code_is_known(data: bytes, source: str) -> None:
    of_file(data, source)
    of_body(data)


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (rb'{"a": "\x", "b": "' + b'\xff"}', "NotUtf8", "b"),
        (rb'{"a": "\x", "b": 1}', "NotJson", "a"),
        (rb'{"a": 1, "a": "\x", "b": ["' + b'\xff"]}', "NotUtf8", "b[0]"),
        (rb'{"a": NaNx, "b": "\x"}', "NotJson", "a"),
        (rb'{"a\ud800": {"b": 1}}', "NotUtf8", r"a\ud800"),
        (rb'{"c": [{"a\ud800": 1, "a\ud800": 2}]}', "NotUtf8", r"c[0].a\ud800"),
        (b'{"a": {"b": -' + b"9" * 5000 + b"}}", "NotJson", "a.b"),
        (b'{"x": "{[' + b"\xff", "NotUtf8", "x"),
    ],
)
def test_a_broken_body_is_refused_where_it_is_broken(body: bytes, reason: str, field: str) -> None:
    cause = of_body(body)
    assert cause is not None
    assert (cause.reason, cause.field) == (reason, field)


@pytest.mark.parametrize(
    ("data", "code", "path"),
    [
        (rb'{"a": "\x", "b": "' + b'\xff"}', "NotUtf8", "b"),
        (b"a: " + b"[" * 5000 + b"\xff", "NotUtf8", "a" + "[0]" * 99),
        ('{"a": "\udcff"}', "NotUtf8", "a"),
        ("a: \udcff", "NotUtf8", "a"),
    ],
)
def test_so_is_a_broken_file(data: bytes | str, code: str, path: str) -> None:
    (problem,) = of_file(data)
    assert (problem.code, problem.path) == (code, path)


@pytest.mark.parametrize(
    ("text", "source", "code", "line", "column"),
    [
        ('{"a": "x\ty",\n "b": tru}', "m.json", "NotJson", 1, 9),
        ('{"a": 1,\n "b": tru}', "m.json", "NotJson", 2, 7),
        ('{"a": 1,\n "b": {"c": NaN}}', "m.json", "NotJson", 2, 13),
        ('{"a": 1,\n "b": [1, 2', "-", "NotJson", 2, 12),
        ("{a: 1,\n b: [1, 2", "-", "NotYaml", 3, 1),
    ],
)
def test_what_was_meant_as_json_is_told_in_words_of_json(
    text: str, source: str, code: str, line: int, column: int
) -> None:
    (problem,) = of_file(text, source)
    assert (problem.code, problem.line, problem.column) == (code, line, column)


def test_yaml_that_begins_as_json_does_stays_yaml() -> None:
    assert parse_documents('{"a": yes, b: 1, # both\n}', source="m.yaml")[0].content == {"a": "yes", "b": 1}


@pytest.mark.parametrize(
    ("begin", "repeated", "end"),
    [
        (b'{"a":"', b'\\"', b"\xff"),
        (b'{"a":"', b'\\"', b"\\"),
        (b"[", b'"",', b""),
        (b"[", b'"",', b"\xff"),
        (b"[", b"{},", b"{}]"),
        (b"[", b"[", b""),
    ],
)
def test_the_largest_body_is_answered_in_time(begin: bytes, repeated: bytes, end: bytes) -> None:
    size = SIZE_BYTES_MAX // 8  # an eighth of the size, for the suite's sake
    body = begin + repeated * ((size - 10) // len(repeated)) + end
    started = time.process_time()
    assert of_body(body)
    assert time.process_time() - started < SECONDS_MAX / 4


def test_a_fault_far_inside_has_a_line_and_no_path() -> None:
    cause = of_body(b"[" + b"1,\n" * 60_000 + b"NaN]")
    assert cause is not None
    assert (cause.reason, cause.field) == ("NotJson", "")
    assert "is not sought in so long a text" in cause.message
    cause = of_body(b"[" + b"1,\n" * 60_000 + b"tru]")
    assert cause is not None
    assert "line 60001, column 1: a value is missing" in cause.message


def test_comments_above_a_document_take_no_time() -> None:
    started = time.process_time()
    parse_documents("# of the licence\n" * 16 + "a: 1\n---\nb: 2\n")
    assert time.process_time() - started < SECONDS_MAX / 4


def test_lines_of_long_paths_are_noted_as_far_as_they_are_kept() -> None:
    key = "k" * 399
    text = "".join(f"{' ' * depth}? {key}\n{' ' * depth}:\n" for depth in range(80)) + " " * 80 + f"[{'1,' * 2000}]\n"
    lines = field_lines(text, None)
    assert lines[key] == 1
    assert sum(map(len, lines)) <= PATHS_CHARACTERS_MAX
    assert len(lines) < 2000


async def test_a_large_body_holds_nobody_else_up(monkeypatch: pytest.MonkeyPatch) -> None:
    read_by: list[threading.Thread] = []

    def reads(body: bytes) -> dict[str, object]:
        read_by.append(threading.current_thread())
        return parse_object(body)

    monkeypatch.setattr(bodies, "parse_object", reads)
    assert await parsed(b"{}") == {}
    assert await parsed(b"{}" + b" " * AT_ONCE_BYTES_MAX) == {}
    with pytest.raises(Refused, match="NotJson"):
        await parsed(b"{" + b" " * AT_ONCE_BYTES_MAX)
    assert [thread is threading.main_thread() for thread in read_by] == [True, False, False]
