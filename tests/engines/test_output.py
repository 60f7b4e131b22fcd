"""Logs: the stock format, bounded files, whole lines."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.builders import shell
from tests.engines.contract_commands import NEVER
from tests.engines.waiting import eventually

from tenure.engines import LogLimits
from tenure.engines.local.lines import parse, read_lines
from tenure.engines.local.output import LINE_BYTES_MAX, LogFile, Output


def texts(path: Path) -> list[str]:
    return [line.text for line in read_lines(str(path), tail=None, goes_on=lambda: False)]


def an_output(folder: Path, **limits: int) -> tuple[Output, int]:
    """A stream and the writing end that a command would have."""
    log = LogFile(str(folder / "work.log"), limits.get("file_bytes_max", 1 << 20), limits.get("files_max", 3))
    output = Output(str(folder), "work", "stdout", log)
    return output, os.open(folder / "work.stdout", os.O_WRONLY)


@given(lines=st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=200)))
def test_what_was_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("log")
    output, writer = an_output(folder)
    os.write(writer, "".join(line + "\n" for line in lines).encode())
    output.drain()
    os.close(writer)
    assert texts(folder / "work.log") == lines


def test_a_long_line_is_stored_in_parts_and_read_whole(tmp_path: Path) -> None:
    output, writer = an_output(tmp_path)
    line = "x" * (3 * LINE_BYTES_MAX + 5)
    os.write(writer, line.encode() + b"\nshort\n")
    while not output.drain():
        pass
    stored = (tmp_path / "work.log").read_bytes().splitlines()
    assert max(len(entry) for entry in stored) < LINE_BYTES_MAX + 64
    assert texts(tmp_path / "work.log") == [line, "short"]


def test_files_rotate_and_the_oldest_go(tmp_path: Path) -> None:
    output, writer = an_output(tmp_path, file_bytes_max=500, files_max=3)
    for number in range(100):
        os.write(writer, f"line {number}\n".encode())
        output.drain()
    assert sorted(path.name for path in tmp_path.glob("work.log*")) == ["work.log", "work.log.1", "work.log.2"]
    assert all(path.stat().st_size <= 500 for path in tmp_path.glob("work.log*"))
    kept = texts(tmp_path / "work.log")
    assert kept == [f"line {number}" for number in range(100 - len(kept), 100)]


def test_the_format_is_the_one_of_kubernetes_nodes() -> None:
    parsed = parse(b"2026-10-06T00:17:09.669794202Z stderr F it broke: a b c\n")
    assert parsed is not None
    line, whole = parsed
    assert (line.stream, line.text, whole, line.at_ms % 1000) == ("stderr", "it broke: a b c", True, 670)
    assert parse(b"not a line of this format") is None


def test_a_flood_of_output_stays_within_its_bound(engine) -> None:  # type: ignore[no-untyped-def]
    limits = LogLimits(file_bytes_max=100_000, files_max=2)
    spec = shell("seq 1 200000", log_limits=limits, restart=NEVER)
    engine.start(spec)
    eventually(lambda: engine.state(spec.run_id).final, "it has ended")
    logs = engine.runs_path / spec.run_id / "logs"
    assert sum(path.stat().st_size for path in logs.glob("work.log*")) <= 2 * 200_000
    assert [line.text for line in engine.logs(spec.run_id, tail=1)] == ["200000"]


@pytest.mark.parametrize("call", ["open", "replace"])
def test_a_log_that_cannot_be_rotated_loses_lines_and_goes_on_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    log = LogFile(str(tmp_path / "work.log"), 10, 3)
    log.append([b"first---\n"])
    with monkeypatch.context() as meanwhile:

        def refuse(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        meanwhile.setattr(os, call, refuse)
        for line in (b"second--\n", b"third---\n"):
            log.append([line])
    log.append([b"fourth--\n"])
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept == {"work.log": b"fourth--\n", "work.log.1": b"first---\n"}


@pytest.mark.parametrize("step", range(4), ids=["the oldest", "the second", "the current", "the new one"])
def test_a_rotation_that_fails_at_any_step_loses_no_file_however_often_it_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    log = LogFile(str(tmp_path / "work.log"), 10, 3)
    for line in (b"first---\n", b"second--\n", b"third---\n"):
        log.append([line])
    names = ["work.log.2", "work.log.1", "work.log", "work.log.new"]
    replace = os.replace
    with monkeypatch.context() as meanwhile:

        def refuse(source: str, target: str) -> None:
            if os.path.basename(source) == names[step]:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            replace(source, target)

        meanwhile.setattr(os, "replace", refuse)
        for _ in range(3):
            log.append([b"lost----\n"])
        kept = sorted(path.read_bytes() for path in tmp_path.iterdir())
        assert kept == [b"first---\n", b"second--\n", b"third---\n"]
    log.append([b"fourth--\n"])
    kept_now = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept_now == {"work.log": b"fourth--\n", "work.log.1": b"third---\n", "work.log.2": b"second--\n"}
