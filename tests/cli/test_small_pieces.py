"""The pieces below the commands: JSONPath, three-way merges, YAML that reads back, lengths of time."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.cli.durations import seconds_of
from tenure.cli.failures import Failure, wants_json
from tenure.cli.jsonpath import JsonPathError, render
from tenure.cli.three_way import (
    LAST_APPLIED,
    additions,
    apply_merge_patch,
    last_applied,
    three_way_patch,
    with_last_applied,
)
from tenure.cli.words import duration_text, when_text
from tenure.cli.yaml_text import yaml_text
from tenure.resources.documents import parse_documents

PODS = {
    "kind": "List",
    "items": [
        {"name": "a", "n": 1, "labels": {"x.y/z": "1"}, "conditions": [{"type": "Ready", "status": "True"}]},
        {"name": "b", "n": 2, "conditions": [{"type": "Ready", "status": "False"}]},
        {"name": "c", "n": 3, "conditions": []},
    ],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.kind}", "List"),
        (".kind", "List"),
        ("{$.items[*].name}", "a b c"),
        ("{.items[0].name}-{.items[-1].name}", "a-c"),
        ("{.items[0:2].name}", "a b"),
        ("{.items[0,2].name}", "a c"),
        ("{.items[?(@.n>1)].name}", "b c"),
        ('{.items[?(@.name=="b")].n}', "2"),
        ("{.items[?(@.labels)].name}", "a"),
        ('{.items[*].conditions[?(@.type=="Ready")].status}', "True False"),
        ('{range .items[*]}{.name}{"\\t"}{.n}{"\\n"}{end}', "a\t1\nb\t2\nc\t3\n"),
        ("{.items[0].labels.x\\.y/z}", "1"),
        ("{.items[0].labels['x.y/z']}", "1"),
        ("{..n}", "1 2 3"),
        ("{.nothing.here}", ""),
        ("{.items[0].labels}", '{"x.y/z":"1"}'),
        ("plain {.kind}!", "plain List!"),
    ],
)
def test_jsonpath_reads_as_kubectl_does(template: str, text: str) -> None:
    assert render(template, PODS) == text


@pytest.mark.parametrize("template", ["{.items[}", "{.kind", "{range .items[*]}", "{end}", "{.items[?(=)]}", '{"x}'])
def test_a_broken_jsonpath_says_so(template: str) -> None:
    with pytest.raises(JsonPathError):
        render(template, PODS)


keys = st.sampled_from("abcd")
leaves = st.one_of(st.integers(0, 3), st.text("xy", max_size=2), st.booleans(), st.lists(st.integers(0, 2), max_size=2))
trees = st.recursive(leaves, lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=8)
objects = st.dictionaries(keys, trees, max_size=4)


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(k in whole and contains(whole[k], v) for k, v in part.items())
    return bool(whole == part) and isinstance(whole, bool) == isinstance(part, bool)


@given(last=objects, wanted=objects, current=objects)
def test_applying_brings_all_that_is_wanted_and_again_changes_nothing(last: Any, wanted: Any, current: Any) -> None:
    after = apply_merge_patch(current, three_way_patch(last, wanted, current))
    assert contains(after, wanted)
    assert three_way_patch(wanted, wanted, after) == {}


@given(last=objects, wanted=objects, current=objects)
def test_applying_takes_away_only_what_was_applied_before(last: Any, wanted: Any, current: Any) -> None:
    after = apply_merge_patch(current, three_way_patch(last, wanted, current))
    for key, value in current.items():
        if key not in last and key not in wanted:
            assert after[key] == value
        if key in last and key not in wanted:
            assert key not in after


@given(wanted=objects, current=objects)
def test_what_is_already_so_is_no_change(wanted: Any, current: Any) -> None:
    assert (additions(wanted, current) == {}) == contains(current, wanted)


def test_the_note_of_the_last_apply_is_kubectls() -> None:
    noted = with_last_applied({"kind": "X", "metadata": {"name": "a", "annotations": {"b": "c"}}})
    assert noted["metadata"]["annotations"][LAST_APPLIED] == (
        '{"kind":"X","metadata":{"annotations":{"b":"c"},"name":"a"}}\n'
    )
    assert last_applied(noted) == {"kind": "X", "metadata": {"name": "a", "annotations": {"b": "c"}}}
    assert last_applied({"metadata": {"annotations": {LAST_APPLIED: "{"}}}) == {}


texts = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cn"]), max_size=20),
    st.sampled_from(
        ["NO", "017", "0x1F", "1e3", "1_000", "~", "null", "2026-12-01", "=", "- a", "a: b", "# c", "'", ""]
    ),
    st.sampled_from(["two\nlines", "two\nlines\n", "  lead\nmore", "end \n", "<<", "&a", "*a", "!x", "1:30", ".inf"]),
)
values = st.recursive(
    st.one_of(texts, st.integers(-(10**12), 10**12), st.booleans(), st.none(), st.floats(-1e6, 1e6, width=32)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts.filter(bool), inner, max_size=3)),
    max_leaves=10,
)


@settings(max_examples=300)
@given(value=st.dictionaries(st.sampled_from(["a", "b", "NO", "1"]), values, min_size=1, max_size=3))
def test_yaml_that_is_printed_reads_back_equal(value: dict[str, Any]) -> None:
    (document,) = parse_documents(yaml_text(value))
    assert document.content == value


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("2m", 120), ("1h30m", 5400), ("250ms", 0.25), ("0", 0)])
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "3 fortnights", "-3s", "1h nonsense"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(Failure):
        seconds_of(text)


LENGTHS = {
    0: "0 s",
    45_000: "45 s",
    540_000: "9 min",
    4_800_000: "80 min",
    9_000_000: "2 h 30 min",
    180_000_000: "2 d 2 h",
    2_592_000_000: "30 d",
}


@pytest.mark.parametrize("ms", LENGTHS)
def test_lengths_in_words(ms: int) -> None:
    assert duration_text(ms) == LENGTHS[ms]


def test_moments_in_words() -> None:
    now = 4_005_190_800_000
    assert when_text(now + 500, now) == "now"
    assert when_text(now + 600_000, now) == "09:10:00 UTC (in 10 min)"
    assert when_text(now - 600_000, now) == "08:50:00 UTC (10 min ago)"
    assert when_text(now + 30 * 86_400_000, now) == "2096-12-31 09:00 UTC (in 30 d)"


@pytest.mark.parametrize(
    ("tokens", "wanted"),
    [
        ("get -o json", True),
        ("get -ojson", True),
        ("get --output=json", True),
        ("get -o yaml", False),
        ("a -- -o json", False),
    ],
)
def test_whether_errors_are_wanted_as_json_is_known_before_parsing(tokens: str, wanted: bool) -> None:
    assert wants_json(tokens.split()) is wanted
