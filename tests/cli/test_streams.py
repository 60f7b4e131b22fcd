"""Standard streams of every sort: closed by whoever started us, of an encoding that lacks letters, or full."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from tenure.cli import main, streams
from tests.cli.host import Shell


def ended(monkeypatch: pytest.MonkeyPatch, *tokens: str) -> int:
    """The exit code of `tenure TOKENS`, as installed."""
    monkeypatch.setattr(sys, "argv", ["tenure", *tokens])
    with pytest.raises(SystemExit) as over:
        main.main()
    assert isinstance(over.value.code, int)
    return over.value.code


def test_what_an_encoding_lacks_is_written_as_json_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, word in (("ascii", "✔ Zürich 💥"), ("latin-1", "✔ Zürich"), ("utf-8", "torn \udcff")):
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", out)
        streams.prepare()
        print(json.dumps({"said": word}, ensure_ascii=False), flush=True)
        said = out.buffer.getvalue()
        assert json.loads(said.decode(encoding)) == {"said": word}, "nothing is lost, and it stays JSON"


def test_a_command_answers_where_the_screen_knows_ascii_alone(offline: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert ended(monkeypatch, "get", "workloads") == 7
    err.flush()
    assert b"\\u2192 `tenure up`" in err.buffer.getvalue()


@pytest.mark.parametrize("closed", [("stdout",), ("stdin", "stdout", "stderr")])
def test_closed_streams_change_no_exit_code(
    offline: Shell, monkeypatch: pytest.MonkeyPatch, closed: tuple[str, ...]
) -> None:
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    assert ended(monkeypatch, "explain", "workload") == 0
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    assert ended(monkeypatch, "explain", "workload.nonsense") == 3


def test_an_answer_that_cannot_be_written_is_no_verdict(
    offline: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert ended(monkeypatch, "explain", "workload") == 7
    assert "[DiskFull]" in capsys.readouterr().err


def test_twin_a_reader_that_has_seen_enough_is_no_failure(offline: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        assert ended(monkeypatch, "explain", "workload") == 0


def test_bytes_that_are_no_text_are_no_fault_of_ours(shell: Shell, tmp_path: Path) -> None:
    ran = shell("get", "workloads", "-l", "app=\udcff")
    assert (ran.code, ran.out) == (2, "")
    assert "[NotUtf8]" in ran.err
    file = tmp_path / "torn\udcff.yaml"
    file.write_text("a: [")
    assert "[NotYaml]" in shell("lint", "-f", file).err, "twin: of a file it may well be the name"
