"""Where the host is and who asks: read from TENURE_HOME for our own host, from a kubeconfig for any other."""

import json
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tenure.client.errors import NoConnection

Identity = Literal["user", "controllers"]


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one host. `options` goes to the HTTP client as it is (verification, certificates, auth)."""

    url: str
    namespace: str = "default"
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


# A source is asked again whenever the host cannot be reached: after a restart it may listen elsewhere.
ConnectionSource = Callable[[], Connection]


def home_directory(home: str | Path | None = None) -> Path:
    """TENURE_HOME: as given, else from the environment, else under the user's XDG data directory.

    Always absolute: what is started in it stands in another folder, where a relative name means another one.
    """
    chosen = home or os.environ.get("TENURE_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "tenure"


def from_home(home: str | Path | None = None, identity: Identity = "user") -> Connection:
    """The embedded host of this home. Raises NoConnection when it never ran or the token may not be read."""
    directory = home_directory(home)
    try:
        server = json.loads((directory / "server.json").read_text())
        url = str(server["url"])
    except FileNotFoundError:
        raise NoConnection(f"no server runs in {directory}; start one with `tenure up`") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoConnection(f"{directory / 'server.json'} cannot be read: {error}") from None
    try:
        token = (directory / "tokens" / identity).read_text().strip()
    except OSError as error:
        raise NoConnection(f"the token of {identity} cannot be read: {error}") from None
    # A proxy from the environment must never see a loopback request.
    options: dict[str, Any] = {"trust_env": False}
    if url.startswith("https://"):
        try:
            authority = directory / "tls" / "ca.crt"
            options["verify"] = _trusting(authority, authority.stat().st_mtime_ns)
        except OSError as error:
            raise NoConnection(f"the certificate of {directory} cannot be read: {error}") from None
    return Connection(url, headers={"Authorization": f"Bearer {token}"}, options=options)


def from_kubeconfig(path: str | Path | None = None, context: str | None = None) -> Connection:
    """A host named by a kubeconfig (`path`, else KUBECONFIG, else ~/.kube/config), in the given or current context."""
    # lightkube reads kubeconfigs and their sorts of credentials; it costs 0.18 s to import, so only here.
    import yaml
    from lightkube.config.client_adapter import ConnectionParams
    from lightkube.config.kubeconfig import KubeConfig
    from lightkube.core.exceptions import ConfigError

    chosen = Path(path or os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    try:
        config = KubeConfig.from_file(chosen).get(context)
        assert config is not None, "get() without a default raises instead"
        options = dict(ConnectionParams().httpx_params(config))
    except (ConfigError, yaml.YAMLError, LookupError, ValueError, OSError, TypeError, AttributeError) as error:
        words = kubeconfig_words(error)
        raise NoConnection(f"kubeconfig {chosen} cannot be used: {words}", reason="InvalidKubeconfig") from None
    except RecursionError:
        raise NoConnection(f"kubeconfig {chosen} is nested too deeply", reason="InvalidKubeconfig") from None
    options.pop("timeout")
    return Connection(str(options.pop("base_url")), namespace=config.namespace, options=options)


def kubeconfig_words(error: Exception) -> str:
    """Why a file is no kubeconfig: the reader words what it foresaw; all it stumbled over otherwise is the form."""
    if type(error).__name__ == "ConfigError":
        return str(error)
    if isinstance(error, OSError):
        return (error.strerror or "it cannot be read").lower()
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1} is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}"
    return "it has not the form of a kubeconfig, a mapping with clusters, users and contexts"


@cache
def _trusting(authority: Path, _written_ns: int) -> ssl.SSLContext:
    # One context for each authority, so that equal connections compare equal; a renewed one is read anew.
    return ssl.create_default_context(cafile=authority)


def discover(home: str | Path | None = None, identity: Identity = "user") -> ConnectionSource:
    """A source that reads the home anew each time it is asked."""
    return lambda: from_home(home, identity)


def source_named(
    home: str | Path | None, kubeconfig: str | Path | None, context: str | None
) -> Connection | ConnectionSource:
    """Where the host is: a kubeconfig where one or a context is named, else the home."""
    if kubeconfig is not None or context is not None:
        return lambda: from_kubeconfig(kubeconfig, context)
    return discover(home)
