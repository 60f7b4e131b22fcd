"""What an older version stored and this one refuses is shown, named with field and step, corrected and deleted."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.cli import daemon, exit_codes, running
from tenure.cli.failures import Failure
from tenure.client import Unreadable
from tenure.quantities import SteadyClock
from tenure.resources import Contract, Machine, Site, Workload
from tests.cli.host import Shell
from tests.cli.manifests import chat
from tests.support.embedded import embedded_in_thread
from tests.support.unreadable import OLD_NEED, putting

STEP = "correct it with `tenure edit workload old -n default`, or `tenure delete workload old -n default`"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.setenv("TENURE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with embedded_in_thread(tmp_path) as host:
        putting(host, Workload, "old", OLD_NEED).result()
        putting(host, Contract, "c", {}).result()
        putting(host, Machine, "m", {"site": "s", "profile": "p", "hourlyCost": "1 credits"}).result()
        putting(host, Site, "s", {"location": {"country": "Germany"}}).result()
        yield Shell(tmp_path, "default")


def test_it_is_shown_as_it_is_and_named_where_it_has_to_be_understood(old: Shell) -> None:
    assert "old" in old("get", "workloads").out
    assert old("get", "workload", "old", "-o", "json").json["spec"] == OLD_NEED
    assert "Duration: 30s" in old("describe", "workload", "old").out
    for words in (("why", "old"), ("why", "contract/c"), ("env", "c"), ("capacity",)):
        said = old(*words, "-o", "json") if words[0] != "env" else old(*words)
        assert said.code == exit_codes.UNVERIFIABLE, said
        assert "Unreadable" in said.err
    assert STEP in old("why", "old").err


def test_a_list_that_is_understood_shows_the_others_and_warns(old: Shell) -> None:
    old("apply", "-f", "-", stdin=chat("new"))
    said = old("status")
    assert said.code == exit_codes.UNVERIFIABLE, "what the contract promises cannot be read"
    assert "No contract holds here" in said.out
    warned = said.err.splitlines()
    assert sorted(line.partition(" as it is stored")[0] for line in warned) == [
        "passed over: contract c in namespace default",
        "passed over: site s",
        "passed over: workload old in namespace default",
    ]
    for words in (("site", "show"), ("price", "show"), ("doctor",)):
        assert "passed over: " in old(*words).err


def test_it_is_corrected_by_apply_and_patch(old: Shell) -> None:
    refused = old("label", "workload", "old", "a=b")
    assert "a window of 60s is longer than the term" in refused.err
    assert old("patch", "workload", "old", "-p", '{"spec": {"term": {"duration": "1h"}}}').code == 0
    assert old("get", "workload", "old", "-o", "json").json["spec"]["term"] == {"duration": "1h"}
    assert old("apply", "-f", "-", stdin=chat("old")).code == 0


@pytest.mark.parametrize(("kind", "name"), [("workload", "old"), ("contract", "c"), ("machine", "m"), ("site", "s")])
def test_it_is_deleted(old: Shell, kind: str, name: str) -> None:
    assert old("delete", kind, name).out.endswith(f'"{name}" deleted\n')
    assert old("get", kind, name).code == exit_codes.NOT_FOUND


async def test_the_control_plane_serves_on_until_what_its_site_stands_on_is_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Any] = []

    async def control(*_: Any) -> None:
        tries.append(json.loads(plane.read_text()) if plane.exists() else None)
        if len(tries) == 1:
            raise Unreadable("Site", {"metadata": {"name": "local"}})

    plane = tmp_path / daemon.PLANE_FILE
    monkeypatch.setattr(daemon, "_control", control)
    monkeypatch.setattr(daemon, "MENDED_LOOK_SECONDS", 0)
    host: Any = SimpleNamespace(url="http://127.0.0.1:1")
    await daemon._control_when_readable(host, tmp_path, SteadyClock(), asyncio.Event())
    assert tries[0] is None
    assert "`tenure delete site local`" in tries[1]["unreadable"]


def test_up_says_what_it_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_HOME", str(tmp_path))
    monkeypatch.setattr(running, "living_plane_of", lambda _: {"pid": 1, "url": "u", "unreadable": "site local ..."})
    with pytest.raises(Failure, match="decides nothing yet: site local") as caught:
        running.up()
    assert caught.value.reason == "Unreadable"
