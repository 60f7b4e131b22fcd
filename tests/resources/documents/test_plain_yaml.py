"""Manifests are plain data: what YAML 1.1 guesses stays text, what may explode or mean two things is refused."""

import pytest

from tenure.resources.documents import SIZE_BYTES_MAX, parse_documents
from tenure.resources.problems import Problem, ProblemsFound


def parsed(text: str | bytes) -> list[dict[str, object]]:
    return [document.content for document in parse_documents(text, source="m.yaml")]


def refused(text: str | bytes) -> list[Problem]:
    with pytest.raises(ProblemsFound) as found:
        parse_documents(text, source="m.yaml")
    return list(found.value.problems)


AMBIGUOUS = (
    "NO no yes on Off y 2026-12-01 2026-12-01T09:00:00Z 017 0o17 0x1F 0b1 1_000 1:30 190:20:30 .inf -.Inf .nan 1e999 ="
)
PLAIN = {
    "true": True,
    "False": False,
    "null": None,
    "~": None,
    "": None,
    "12": 12,
    "-3": -3,
    "+4": 4,
    "0.25": 0.25,
    "1e3": 1000.0,
    "1.5E-2": 0.015,
    ".5": 0.5,
    "'12'": "12",
    '"true"': "true",
    "a b": "a b",
}


@pytest.mark.parametrize("written", [*AMBIGUOUS.split(), "9" * 50])
def test_what_yaml_1_1_would_take_for_another_type_stays_the_text_it_is(written: str) -> None:
    assert parsed(f"k: {written}") == [{"k": written}]


@pytest.mark.parametrize("written", PLAIN)
def test_plain_types_are_read(written: str) -> None:
    assert parsed(f"k: {written}") == [{"k": PLAIN[written]}]


def test_several_documents_keep_their_lines_and_empty_ones_are_left_out() -> None:
    documents = parse_documents("# head\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n---\nc: 3\n", source="m.yaml")
    assert [(d.content, d.line) for d in documents] == [({"a": 1}, 3), ({"b": 2}, 7), ({"c": 3}, 10)]


def test_a_directive_belongs_to_the_document_after_it() -> None:
    assert parsed("%YAML 1.2\n---\na: 1\n") == [{"a": 1}]


def test_a_list_gives_its_items() -> None:
    assert parsed("kind: List\napiVersion: v1\nitems: [{a: 1}, {b: 2}]") == [{"a": 1}, {"b": 2}]


def test_json_is_read_as_json() -> None:
    assert parsed('{"a": "\\ud83d\\ude00", "b": [1, 2.5, null, true]}') == [{"a": "😀", "b": [1, 2.5, None, True]}]


def test_a_byte_order_mark_is_no_error() -> None:
    assert parsed(b"\xef\xbb\xbfa: 1") == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "path"),
    [
        ("a: 1\nb: 2\na: 3\n", "DuplicateKey", 3, 1, "a"),
        ("a:\n- b: 1\n- c: {d: 1, d: 2}\n", "DuplicateKey", 3, 13, "a[1].c.d"),
        ('{"a": 1,\n "a": 2}', "DuplicateKey", 2, 2, "a"),
        ("a: &x [1]\nb: 2\n", "AliasesRefused", 1, 4, "a"),
        ("a: 1\nb: {c: *x}\n", "AliasesRefused", 2, 8, "b.c"),
        ("<<: {a: 1}\n", "AliasesRefused", 1, 1, "<<"),
        ("a: !!python/object:os.system x\n", "TagRefused", 1, 4, "a"),
        ("a: !!str 017\n", "TagRefused", 1, 4, "a"),
        ("a: [1, 2\nb: 3\n", "NotYaml", 2, 2, "a[2]"),
        ("a: b: c\n", "NotYaml", 1, 5, ""),
        ("? [a]\n: 1\n", "NotYaml", 1, 3, ""),
        ("a: {b: {'': 1, : 2}}\n", "NotYaml", 1, 16, "a.b"),
        (": 1\n", "NotYaml", 1, 1, ""),
        ("a: \x07\n", "NotYaml", 1, 4, ""),
        ("- 1\n", "NotAnObject", 1, 0, ""),
        ("just text\n", "NotAnObject", 1, 0, ""),
        ("a: " + "[" * 200, "TooDeep", 1, 103, "a" + "[0]" * 99),
        ("- " * 5000 + "a", "TooDeep", 1, 201, "[0]" * 100),
    ],
)
def test_what_is_not_plain_is_refused_where_it_stands(text: str, code: str, line: int, column: int, path: str) -> None:
    (problem,) = refused(text)
    assert (problem.code, problem.line, problem.column, problem.path) == (code, line, column, path)
    assert problem.next_step
    assert problem.source == "m.yaml"


def test_aliases_that_explode_are_refused_before_they_expand() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    assert [p.code for p in refused(bomb)] == ["AliasesRefused"]


def test_every_broken_document_is_told_at_once() -> None:
    problems = refused("a: 1\na: 2\n---\nb: [\n---\nc: 3\n---\n- d\n")
    assert [(p.code, p.line) for p in problems] == [("DuplicateKey", 2), ("NotYaml", 5), ("NotAnObject", 8)]


def test_ten_megabytes_are_refused_without_being_parsed() -> None:
    (problem,) = refused(b"[" * (10 << 20))
    assert problem.code == "DocumentTooLarge"
    assert str(SIZE_BYTES_MAX) in problem.message


def test_a_flood_of_documents_is_refused_whole() -> None:
    assert [p.code for p in refused("---\n" * 200_000)] == ["DocumentTooLarge"]


def test_bytes_that_are_no_utf_8_are_placed() -> None:
    (problem,) = refused(b"a: b\nc: \xff\xfe")
    assert (problem.code, problem.line, problem.path) == ("NotUtf8", 2, "c")
    assert "byte 8 (0xff)" in problem.message


@pytest.mark.parametrize(
    ("before", "path"),
    [
        (b"---\na: 1\n---\nb:\n- c: {d: 1, e: x", "b[0].c.e"),
        (b'{"a": [1, {"b": "x', "a[1].b"),
        (b"a: 1\n", ""),
        (b"", ""),
    ],
)
def test_so_is_the_field_that_they_stand_in(before: bytes, path: str) -> None:
    (problem,) = refused(before + b"\xff: 1\n")
    assert (problem.code, problem.path) == ("NotUtf8", path)


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    assert [(p.code, p.path) for p in refused('{"a": [1, "\\ud800"]}')] == [("NotUtf8", "a[1]")]


@pytest.mark.parametrize("text", ["NaN", "[" * 3, "{" * 1000, "? " * 5000, "&a " * 2000, "'" * 1001, "%" * 100])
def test_nonsense_is_refused_and_never_a_crash(text: str) -> None:
    assert refused(text)
