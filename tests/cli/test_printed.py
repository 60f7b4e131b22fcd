"""What README and guide print works as it is printed: every manifest, every command."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cyclopts
import pytest

from tenure.cli.commands import make_app
from tenure.resources.documents import decode_all, parse_documents
from tests.cli.host import Shell

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/guide.md")
PLATFORM = "devices"
"""A need that says this is written by a platform engineer."""


def blocks(language: str) -> list[tuple[str, str]]:
    """Page and text of every block of this language."""
    found = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [(page, text) for page in PAGES for text in found.findall((ROOT / page).read_text())]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Page and words of every command after a prompt, without comment, pipe and redirection."""
    for page, text in blocks("console"):
        for line in re.findall(r"^\$ (.*)$", text.replace("\\\n", ""), re.MULTILINE):
            plain = re.sub(r"^eval \$\((.*?)\)", r"\1", line)
            words = shlex.split(plain, comments=True)
            end = next((place for place, word in enumerate(words) if word in (">", "|")), len(words))
            yield page, words[:end]


def inline() -> Iterator[tuple[str, list[str]]]:
    """Page and words of every command of ours that stands in the text."""
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
        for words in re.findall(r"`tenure ([^`]+)`", text):
            yield page, ["tenure", *shlex.split(words)]


_app = cache(make_app)


def understood(words: list[str]) -> None:
    """Parse a command of ours and run nothing. Raises CycloptsError."""
    tokens = words[1:]
    if tokens[:1] == ["--home"]:
        tokens = tokens[2:]
    _app().parse_args(tokens, exit_on_error=False, print_error=False)


@pytest.mark.parametrize(("page", "text"), blocks("yaml"), ids=lambda value: value if value in PAGES else "")
def test_each_manifest_is_taken_where_it_is_applied(offline: Shell, page: str, text: str) -> None:
    objects = decode_all(parse_documents(text, source=page))
    assert objects
    made = {found.name for found in objects if found.kind == "Namespace"} | {None, "default"}
    assert {found.namespace for found in objects} <= made, "any other is not there"
    role = ("--role", "platform") if PLATFORM in text else ()
    ran = offline("lint", "-f", "-", *role, stdin=text)
    assert ran.code == 0, ran.err


def test_each_command_of_ours_is_one_with_such_options() -> None:
    ours = [(page, words) for page, words in commands() if words[0] == "tenure"]
    assert len(ours) > 20
    for page, words in ours:
        try:
            understood(words)
        except cyclopts.CycloptsError as error:
            raise AssertionError(f"{page}: {shlex.join(words)}: {error}") from error


def test_so_is_each_in_the_text_although_some_leave_the_name_out() -> None:
    for page, words in inline():
        try:
            understood(words)
        except cyclopts.MissingArgumentError:
            continue
        except cyclopts.CycloptsError as error:
            raise AssertionError(f"{page}: {shlex.join(words)}: {error}") from error


def test_each_target_and_module_that_is_named_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        text = (ROOT / page).read_text()
        for target in re.findall(r"(?:`|^\$ )make ([a-z-]+)", text, re.MULTILINE):
            assert f"\n{target}:" in makefile, (page, target)
        for module in re.findall(r"python -m ([a-z_.]+)", text):
            place = ROOT / module.replace(".", "/")
            assert place.is_dir() or place.with_suffix(".py").is_file(), (page, module)


@pytest.mark.parametrize("wrong", ["tenure ask -f chat.yaml --patience 3s", "tenure requst -f chat.yaml"])
def test_twin_what_is_no_command_would_be_found(wrong: str) -> None:
    with pytest.raises(cyclopts.CycloptsError) as found:
        understood(shlex.split(wrong))
    assert not isinstance(found.value, cyclopts.MissingArgumentError)


def test_twin_a_manifest_that_only_begins_would_be_found() -> None:
    fragment: Any = "spec:\n  command: {}\n"
    with pytest.raises(ValueError, match="is required"):
        decode_all(parse_documents(fragment))
