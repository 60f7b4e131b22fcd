"""A real Kubernetes API server with its etcd, and the controllers that collect garbage, while a block lasts.

All of it listens on loopback alone. The binaries come from `make kubernetes`, which builds them into the checkout's
cache. Nothing is shared with a cluster that this machine may know: keys, certificates, tokens and data are made anew in
a folder and go with it.
"""

import contextlib
import os
import secrets
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

BINARIES = Path(os.environ.get("TENURE_CACHE", Path(__file__).parents[2] / ".cache")) / "kubernetes"
READY_SECONDS_MAX = 180.0


def binaries_missing() -> str | None:
    """Why no API server can be started here, with what to do; None when it can."""
    missing = [
        name for name in ("kube-apiserver", "kube-controller-manager", "etcd") if not (BINARIES / name).is_file()
    ]
    return f"no {', no '.join(missing)} in the cache: make kubernetes builds them" if missing else None


@contextlib.contextmanager
def api_server(folder: Path) -> Iterator[Path]:
    """Start both in `folder`, give the path of a kubeconfig with all rights, stop both at the end."""
    etcd_port, peer_port, port = _free_ports(3)
    token = secrets.token_urlsafe(32)
    (folder / "tokens.csv").write_text(f"{token},tests,tests,system:masters\n")
    (folder / "tokens.csv").chmod(0o600)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    (folder / "accounts.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    etcd: list[str | Path] = [
        BINARIES / "etcd",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{etcd_port}",
        f"--advertise-client-urls=http://127.0.0.1:{etcd_port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",
        f"--initial-cluster=default=http://127.0.0.1:{peer_port}",
    ]
    server: list[str | Path] = [
        BINARIES / "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certificates'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
    ]
    with _running(etcd, folder / "etcd.log"), _running(server, folder / "apiserver.log") as process:
        url = f"https://127.0.0.1:{port}"
        _wait_ready(url, process, folder / "apiserver.log")
        yield _kubeconfig(folder, url, token)


@contextlib.contextmanager
def garbage_collector(folder: Path, kubeconfig: Path) -> Iterator[None]:
    """The controllers that remove dependents and emptied namespaces. They know the kinds that exist when they start."""
    (port,) = _free_ports(1)
    manager: list[str | Path] = [
        BINARIES / "kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'manager-certificates'}",
        "--controllers=garbage-collector-controller,namespace-controller",
        "--leader-elect=false",
    ]
    with _running(manager, folder / "manager.log"):
        yield


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def _running(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    # Its certificate is made by itself at its start, so there is nobody yet who could vouch for it.
    trusting = ssl._create_unverified_context()
    until = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(f"{url}/readyz", timeout=5, context=trusting),
        ):
            return
        time.sleep(0.2)
    raise RuntimeError(f"the API server did not become ready:\n{log.read_text()[-3000:]}")


def _kubeconfig(folder: Path, url: str, token: str) -> Path:
    cluster = {"server": url, "certificate-authority": str(folder / "certificates" / "apiserver.crt")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "tests", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "current-context": "tests",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path
