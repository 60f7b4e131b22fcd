"""`tenure completion`: a script for the shell that completes commands, options, kinds and names."""

from tenure.cli import failures, screen

SHELLS = ("bash", "zsh", "fish")


def completion(shell: str) -> None:
    """Print the completion script: source <(tenure completion bash).

    Parameters
    ----------
    shell
        bash, zsh or fish.
    """
    if shell not in SHELLS:
        raise failures.usage(f"no completion for {shell!r}", f"one of {', '.join(SHELLS)}")
    from tenure.cli.commands import make_app

    screen.say(make_app().generate_completion(prog_name="tenure", shell=shell))  # type: ignore[arg-type]
