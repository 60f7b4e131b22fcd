"""`tenure completion`: a script for the shell that completes commands, options, values, kinds and names."""

from collections.abc import Iterator
from typing import Annotated

from cyclopts import App, Parameter

from tenure.cli import completers, failures, screen

SHELLS = ("bash", "zsh", "fish")

# cyclopts takes every word that is the name of some command for one, also `site` in `describe site`, after which its
# scripts for these shells offer nothing. A word is a command where it goes on from the commands before it.
_ANY_COMMAND = {
    "bash": (
        'if [[ " $all_commands " =~ " $word " ]]; then',
        'if [[ "$all_paths" == *"|${cmd_path[*]:+${cmd_path[*]} }$word|"* ]]; then',
    ),
    "fish": (
        'if string match -q -- "* $word *" " $all_commands "',
        'if string match -q -- "*|"(string join \' \' -- $subcommands $word)"|*" $all_paths',
    ),
}
_DECLARED = {"bash": "  local all_commands=", "fish": "    set -l all_commands "}
_PATHS = {"bash": "  local all_paths='{}'\n", "fish": "    set -l all_paths '{}'\n"}


def completion(shell: Annotated[str, Parameter(completer=completers.among(*SHELLS))]) -> None:
    """Print the completion script: source <(tenure completion bash).

    Parameters
    ----------
    shell
        bash, zsh or fish.
    """
    if shell not in SHELLS:
        raise failures.usage(f"no completion for {shell!r}", f"one of {', '.join(SHELLS)}")
    from tenure.cli.commands import make_app

    app = make_app()
    script = app.generate_completion(prog_name="tenure", shell=shell)  # type: ignore[arg-type]
    screen.say(_only_paths(script, shell, app))


def _only_paths(script: str, shell: str, app: App) -> str:
    if shell not in _ANY_COMMAND:
        return script
    any_word, on_the_path = _ANY_COMMAND[shell]
    paths = _PATHS[shell].format("|" + "|".join(_paths(app)) + "|")
    declared = _DECLARED[shell]
    return _put(_put(script, any_word, on_the_path), declared, paths + declared)


def _put(script: str, before: str, after: str) -> str:
    assert script.count(before) == 1, f"the parser's script is not the one that is known here: {before!r}"
    return script.replace(before, after)


def _paths(app: App, before: str = "") -> Iterator[str]:
    for name in app:
        if not name.startswith("-"):
            yield before + name
            yield from _paths(app[name], f"{before}{name} ")
