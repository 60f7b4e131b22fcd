"""`tenure config`: where state lives, and the kubeconfig for kubectl and everything else that reads one."""

import os
from pathlib import Path
from typing import Any

from cyclopts import App

from tenure.cli import failures, screen
from tenure.cli.options import HERE, Output, Reach
from tenure.client import home_directory

app = App(name="config", help="Where state lives, and the kubeconfig for kubectl.", help_format="plaintext")


@app.command
def view(*, output: Output = "text", reach: Reach = HERE) -> None:
    """Show where this command finds its host and its state, and why there."""
    from tenure.cli.running import plane_of

    home = home_directory()
    facts: dict[str, Any] = {
        "home": str(home),
        "homeFrom": _home_from(),
        "kubeconfig": str(_kubeconfig(reach)),
        "models": str(_models()),
        "running": plane_of(home) is not None,
        "namespace": reach.namespace or "default",
    }
    if output == "json":
        screen.say_as("ConfigView", {**facts})
        return
    screen.say_table(("Setting", "Value"), list(facts.items()))


@app.command
def kubeconfig(*, output: Output = "text", reach: Reach = HERE) -> None:
    """Print the path of the kubeconfig: export KUBECONFIG=$(tenure config kubeconfig)."""
    path = _kubeconfig(reach)
    if not path.exists():
        raise failures.not_found(f"{path} does not exist yet", "`tenure up` writes it at its first start")
    if output == "json":
        screen.say_as("Kubeconfig", {"path": str(path)})
    else:
        screen.say(str(path))


@app.command
def current_context(*, output: Output = "text", reach: Reach = HERE) -> None:
    """Print the current context of the kubeconfig."""
    name = _contexts(reach)[0]
    if not name:
        raise failures.not_found(f"{_kubeconfig(reach)} names no current context", "`tenure config use-context NAME`")
    if output == "json":
        screen.say_as("Context", {"name": name})
    else:
        screen.say(name)


@app.command
def get_contexts(*, output: Output = "text", reach: Reach = HERE) -> None:
    """List the contexts of the kubeconfig."""
    current, names = _contexts(reach)
    if output == "json":
        screen.say_as("Contexts", {"current": current, "items": names})
        return
    screen.say_table(("Current", "Name"), [("*" if name == current else " ", name) for name in names])


@app.command
def use_context(name: str, *, output: Output = "text", reach: Reach = HERE) -> None:
    """Make a context of the kubeconfig the current one.

    Parameters
    ----------
    name
        The context.
    """
    import yaml

    path = _kubeconfig(reach)
    _, names = _contexts(reach)
    if name not in names:
        raise failures.not_found(f"no context {name} in {path}", f"there are: {', '.join(names) or 'none'}")
    content = yaml.safe_load(path.read_text())
    content["current-context"] = name
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    if output == "json":
        screen.say_as("Context", {"name": name})
    else:
        screen.say(f'Switched to context "{name}".')


def _contexts(reach: Reach) -> tuple[str, list[str]]:
    import yaml

    path = _kubeconfig(reach)
    try:
        content = yaml.safe_load(path.read_text()) or {}
        names = [str(context["name"]) for context in content.get("contexts") or []]
    except FileNotFoundError:
        raise failures.not_found(f"{path} does not exist yet", "`tenure up` writes it at its first start") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, KeyError, TypeError, AttributeError) as error:
        from tenure.client.connection import kubeconfig_words

        raise failures.usage(f"{path}: {kubeconfig_words(error)}", reason="InvalidKubeconfig") from None
    return str(content.get("current-context") or ""), names


def _kubeconfig(reach: Reach) -> Path:
    return reach.kubeconfig or home_directory() / "kubeconfig"


def _home_from() -> str:
    if os.environ.get("TENURE_HOME"):
        return "--home or TENURE_HOME"
    return "XDG_DATA_HOME" if os.environ.get("XDG_DATA_HOME") else "the default"


def _models() -> Path:
    cache = os.environ.get("TENURE_CACHE")
    root = Path(cache) if cache else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tenure"
    return root / "models"
