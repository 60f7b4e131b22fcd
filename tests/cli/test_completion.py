"""After TAB the shell offers commands, kinds, names and fields; and the reference is what the code says."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from tenure.cli import reference
from tenure.cli.commands import COMMANDS, make_app
from tenure.cli.verbs import completion
from tests.cli.hand import acting
from tests.cli.host import Shell
from tests.cli.manifests import CHAT

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"


def test_every_command_can_be_imported_and_describes_itself() -> None:
    app = make_app(detailed=[command.name for command in COMMANDS])
    for command in COMMANDS:
        assert app[command.name].help, command.name


_SCRIPTS: dict[str, str] = {}


def script_of(shell_name: str, offline: Shell) -> str:
    """What `tenure completion` prints, made once."""
    if shell_name not in _SCRIPTS:
        ran = offline("completion", shell_name)
        assert ran.code == 0
        _SCRIPTS[shell_name] = ran.out
    return _SCRIPTS[shell_name]


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_commands(offline: Shell, shell_name: str) -> None:
    script = script_of(shell_name, offline)
    for command in ("request", "api-resources", "kubeconfig"):
        assert command in script


@pytest.mark.parametrize("shell_name", ["bash", "fish"])
def test_a_kind_is_no_command_although_one_is_called_so(offline: Shell, shell_name: str) -> None:
    """`describe site` is followed by names of sites; in zsh each command has its own rules."""
    script = script_of(shell_name, offline)
    (paths,) = {line.partition("all_paths")[2].strip(" =") for line in script.splitlines() if "all_paths" in line[:20]}
    assert "|site|" in paths
    assert "|site assert|" in paths
    assert "describe site" not in paths
    assert script.count("$all_paths") == 1
    assert "$all_commands " not in script


IN_BASH = {
    "describe site ": "asked __complete describe site ",
    "describe site a": "asked __complete describe site a",
    "site assert ": "asked __complete site assert ",
    "site ": "assert show",
    "contract r": "repeat",
}
"""What bash offers after these words and TAB; where that is for us to say, it asks us."""
_PRESSED = r"""
tenure() { printf 'asked'; printf ' %s' "$@"; echo; }
while IFS= read -r line; do
  IFS=' ' read -ra COMP_WORDS <<< "tenure $line"
  [[ $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
  _tenure
  echo "$line>${COMPREPLY[*]//\\/}"
done
"""


def test_in_bash_a_name_that_is_a_command_s_too_is_a_name_where_one_stands(offline: Shell, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(script_of("bash", offline) + _PRESSED)
    lines = "".join(f"{line}\n" for line in IN_BASH)
    pressed = ["bash", str(tmp_path / "script")]
    ran = subprocess.run(pressed, input=lines, capture_output=True, text=True, check=False)
    offered = dict(line.split(">") for line in ran.stdout.splitlines())
    assert (offered, ran.stderr) == (IN_BASH, "")


@pytest.mark.parametrize("shell_name", ["bash", "fish"])
def test_a_script_that_the_parser_words_anew_is_not_passed_on_as_it_is(offline: Shell, shell_name: str) -> None:
    """This one is worded anew: by us."""
    script = script_of(shell_name, offline)
    with pytest.raises(AssertionError, match="not the one that is known"):
        completion._only_paths(script, shell_name, App())


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_scripts_are_such_as_their_shell_can_read(offline: Shell, shell_name: str) -> None:
    if shutil.which(shell_name) is None:
        pytest.skip(f"{shell_name} is not installed here")
    script = script_of(shell_name, offline)
    read = subprocess.run([shell_name, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")
    unfinished = script + "\nif true\n"
    twin = subprocess.run([shell_name, "-n"], input=unfinished, capture_output=True, text=True, check=False)
    assert twin.returncode != 0, "a script that breaks off is found out"


OFFERED = {
    "get wor": "workloads",
    "get wl ch": "chat",
    "get wl/ch": "wl/chat",
    "why ch": "chat",
    "accept ch": "chat-3f2a1c",
    "explain work": "workload",
    "explain workload.spec.obj": "workload.spec.objectives",
    "model fetch sm": "smollm2-135m-instruct",
}


@pytest.mark.parametrize("line", OFFERED)
def test_after_tab_the_shell_offers_kinds_names_and_fields(shell: Shell, line: str) -> None:
    with acting(shell):
        shell.here("request", "-f", "-", stdin=CHAT)
        first, *rest = line.split()
        where = [] if first in ("explain", "model") else ["-n", shell.namespace]
        ran = shell("__complete", first, *where, *rest)
    assert OFFERED[line] in ran.out.split()


VALUES = {
    ("completion", ""): {"bash", "zsh", "fish"},
    ("get", "sites", "-o", ""): {"wide", "json", "yaml", "name", "jsonpath=", "custom-columns="},
    ("apply", "-o", "y"): {"yaml"},
    ("request", "--accept", ""): {"best", "any"},
    ("get", "workloads", "-n", "defa"): {"default"},
    ("describe", "site", ""): {"here"},
    ("get", "site/"): {"site/here"},
    ("inventory", "show", ""): {"m-1"},
}


@pytest.fixture(scope="module")
def standing(live_home: Path) -> Iterator[Shell]:
    """A host with a site and a machine."""
    shell = Shell(live_home)
    for manifest in (
        "kind: Site\nmetadata: {name: here}\nspec: {}\n",
        "kind: Machine\nmetadata: {name: m-1}\nspec: {site: here, profile: hw}\n",
    ):
        ran = shell("apply", "-f", "-", stdin=f"apiVersion: tenure.dev/v1alpha1\n{manifest}")
        assert ran.code == 0, ran.err
    yield shell
    assert shell("delete", "site/here", "machine/m-1").code == 0


@pytest.mark.parametrize("tokens", VALUES, ids=" ".join)
def test_after_tab_the_shell_offers_what_may_stand_there(standing: Shell, tokens: tuple[str, ...]) -> None:
    assert set(standing("__complete", *tokens).out.split()) >= VALUES[tokens]


def test_after_tab_without_a_host_there_is_silence(offline: Shell) -> None:
    ran = offline("__complete", "get", "workloads", "")
    assert (ran.code, ran.err) == (0, "")


def test_the_reference_is_what_the_code_says() -> None:
    assert (DOCS / reference.PAGE).read_text() == reference.page(), "run `make docs`"
    assert (DOCS / reference.SCHEMAS).read_text() == reference.schemas(), "run `make docs`"
