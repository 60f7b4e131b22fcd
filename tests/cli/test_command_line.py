"""A command line that does not parse is answered in the words in which it is typed."""

import json

import pytest

from tests.cli.host import Shell


@pytest.mark.parametrize(
    ("tokens", "said", "step"),
    [
        (["price", "set", "m"], "AMOUNT is missing", "write `tenure price set MACHINE AMOUNT`"),
        (["accept"], "OFFER is missing", "write `tenure accept OFFER`"),
        (["evidence", "export"], "NAME is missing", "see `tenure evidence export --help`"),
        (["capacity", "--cores"], "--cores needs a value", "see `tenure capacity --help`"),
        (["ask", "-f"], "-f needs a value", "see `tenure ask --help`"),
        (["ask"], "tenure ask needs --filename", "see `tenure ask --help`"),
        (["wait", "wl", "x"], "tenure wait needs --for", "see `tenure wait --help`"),
        (["end", "a", "b"], "'b' is one word more than tenure end takes", "see `tenure end --help`"),
        (["end", "a", "b", "c"], "'b', 'c' are words more than", "see `tenure end --help`"),
        (["up", "--port", "high"], "--port 'high' is no whole number", "see `tenure up --help`"),
        (["label", "--overwrite=x"], "--overwrite 'x' is neither yes nor no", "see `tenure label --help`"),
        (["get", "--home"], "--home needs a folder", "write --home DIR"),
        (["--home", "--purge", "down"], "--home needs a folder", "write --home DIR"),
        (["patch", "site", "x", "-p", "[]"], "--patch: the patch is no mapping", "write -p '{\"spec\": {...}}'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_says_what_is_missing_and_how_it_is_written(offline: Shell, tokens: list[str], said: str, step: str) -> None:
    ran = offline(*tokens)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err.splitlines()[0]
    assert f"→ {step}" in ran.err.replace("`; see `", "`; → see `")
    assert "requires" not in ran.err, "no word of the parser's own"


@pytest.mark.parametrize(
    ("written", "code", "path"),
    [
        ('[{"op": "add", "path": "/spec/x", "value": NaN}]', "NotJson", "[0].value"),
        ('[{"value": -Infinity}]', "NotJson", "[0].value"),
        ('[{"value": 1e999}]', "NotJson", "[0].value"),
        ('[{"op": "add", "op": "remove"}]', "DuplicateKey", "[0].op"),
        ('[{"op": "add"]', "NotJson", "[0].op"),
        ("[" * 101 + "]" * 101, "TooDeep", ""),
    ],
)
def test_a_list_of_operations_is_read_as_every_other_json_is(
    offline: Shell, written: str, code: str, path: str
) -> None:
    ran = offline("patch", "site", "x", "--type", "json", "-p", written, "-o", "json")
    assert (ran.code, ran.out) == (2, "")
    (cause,) = json.loads(ran.err)["details"]["causes"]
    assert (cause["code"], cause["source"]) == (code, "--patch")
    assert cause.get("path", "").startswith(path), cause
    assert cause["nextStep"]
