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
    """Write it, 0600, in one step, where it is not there already as it should be."""
    write_private(path, yaml.safe_dump(kubeconfig(url, token, authority.read_bytes()), sort_keys=False))


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read; others see the old text or the new one, never half."""
    if path.exists() and path.read_text() == text:
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(partial, path)
