"""A supervisor that cannot do what it is asked says so by a stable code, with the path and what to do."""

import errno
import json
import socket
from typing import Any

import pytest

from tenure.engines import EngineFailure, RunNotRecorded
from tenure.engines.local import control
from tenure.engines.local.engine import LocalEngine
from tenure.engines.local.folder import RunFolder


def on_a_disk_that_can_only_be_read(_request: dict[str, Any]) -> dict[str, Any]:
    raise OSError(errno.EROFS, "Read-only file system", "/home/runs/r-1/state.json.new")


def asked(request: bytes, obey: Any) -> dict[str, Any]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        ours.send(request)
        control.Caller(theirs).serve(obey)
        answer: dict[str, Any] = json.loads(ours.recv(4096))
        return answer


def test_a_stop_that_cannot_be_recorded_names_the_file_and_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    told = asked(b'{"op": "stop"}', on_a_disk_that_can_only_be_read)
    assert (told["ok"], told["code"]) == (False, "RunNotRecorded")
    monkeypatch.setattr(control, "ask", lambda *_: told)
    with pytest.raises(RunNotRecorded) as refused:
        LocalEngine._ask(RunFolder("/home/runs/r-1"), {"op": "stop"})
    assert refused.value.field == "/home/runs/r-1/state.json.new"
    assert "Read-only file system" in str(refused.value)
    assert "make the disk of TENURE_HOME writable" in refused.value.next_step


def test_twin_what_is_no_request_is_not_understood_and_what_can_be_done_is_done() -> None:
    assert asked(b"{", on_a_disk_that_can_only_be_read)["message"].startswith("not understood")
    assert asked(b"{}", lambda _: {"ok": True}) == {"ok": True}
    assert EngineFailure.code == asked(b"[", lambda _: {})["code"]
