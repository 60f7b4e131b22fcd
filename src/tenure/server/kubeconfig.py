"""The kubeconfig that lets kubectl, and anything else that reads one, use this host."""

import base64
import os
from pathlib import Path
from typing import Any

import yaml

NAME = "tenure"


def kubeconfig(url: str, token: str, authority: bytes) -> dict[str, Any]:
    """A kubeconfig with one cluster, one user and one context, all named tenure; `authority` is a PEM certificate."""
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(authority).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}],
        "current-context": NAME,
    }


def write_kubeconfig(path: Path, url: str, token: str, authority: Path) -> None:
    """Write it, 0600, in one step, where it is not there already as it should be. What others put into it stays: a
    namespace or a context that `kubectl config` set, and which one is the current."""
    ours = kubeconfig(url, token, authority.read_bytes())
    try:
        text = yaml.safe_dump(_with_theirs(ours, _there(path)), sort_keys=False)
    except RecursionError:  # nobody could use what is nested so deep
        text = yaml.safe_dump(ours, sort_keys=False)
    write_private(path, text)


def _there(path: Path) -> dict[str, Any]:
    """What is in the file; nothing where it is none, or says nothing that anybody could use."""
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _with_theirs(ours: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """Of the cluster and the user that are ours all is ours; of our context, where it leads."""
    made = {**there, **ours}
    for entries in ("clusters", "users", "contexts"):
        found = there.get(entries)
        named = [one for one in found if isinstance(one, dict) and "name" in one] if isinstance(found, list) else []
        made[entries] = [*ours[entries], *(one for one in named if one["name"] != NAME)]
        if entries == "contexts":
            made[entries][0] = _context(ours[entries][0], [one for one in named if one["name"] == NAME])
    if there.get("current-context") in [one["name"] for one in made["contexts"]]:
        made["current-context"] = there["current-context"]
    return made


def _context(ours: dict[str, Any], there: list[dict[str, Any]]) -> dict[str, Any]:
    said = there[0].get("context") if there else None
    kept = said if isinstance(said, dict) else {}
    return {**ours, "context": {**ours["context"], **kept, "cluster": NAME, "user": NAME}}


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read; others see the old text or the new one, never half."""
    if path.exists() and path.read_bytes() == text.encode():
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(partial, path)
