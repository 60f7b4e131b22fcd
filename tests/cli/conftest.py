import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.host import Shell, make_namespace
from tests.support.embedded import embedded_in_thread

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def live_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with embedded_in_thread(tmp_path_factory.mktemp("home")) as host:
        yield host.home


@pytest.fixture
def shell(live_home: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line against the live host, with a namespace that is this test's alone."""
    monkeypatch.setenv("TENURE_HOME", str(live_home))
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    namespace = f"test-{next(_numbers)}"
    make_namespace(live_home, namespace)
    return Shell(live_home, namespace)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line where no host runs."""
    monkeypatch.setenv("TENURE_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("COLUMNS", "110")
    return Shell(tmp_path / "nowhere")
