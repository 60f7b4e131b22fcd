"""The tap lets the contract's keys through, changes nothing, and misses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.measurement import (
    DamageKind,
    Endpoint,
    Prompt,
    TapConfig,
    TapConfigError,
    ask,
    mac_of,
    new_key,
    read_journal,
)
from tenure.measurement.tap import serve
from tenure.promises import Outcome
from tests.measurement.model_server import Script, model_server
from tests.measurement.taps import MAC_KEY, PROBER, USER, config_of, running_tap, until


def post(body: dict[str, object], key: str | None = USER, extra: str = "", version: str = "1.1") -> bytes:
    payload = json.dumps(body).encode()
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    line = f"POST /v1/chat/completions HTTP/{version}\r\nHost: t\r\n"
    return f"{line}{authorization}{extra}Content-Length: {len(payload)}\r\n\r\n".encode() + payload


BODY: dict[str, object] = {"messages": [{"role": "user", "content": "a b c"}], "max_tokens": 3}


class TestAdmission:
    async def test_a_key_opens_and_is_not_passed_on(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            assert (await tap.ask()).status == 200
            assert b"authorization" not in tap.model.heads[0].lower()

    @pytest.mark.parametrize("key", [None, "", "tenure-user-ke", "tenure-user-keyy", "Bearer"])
    async def test_anything_else_gets_openais_error(self, tmp_path: Path, key: str | None) -> None:
        async with running_tap(tmp_path) as tap:
            came = await tap.raw(post(BODY, key), wait_for=b"}}")
            assert tap.model.asked == []
        head, _, body = came.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401")
        assert json.loads(body)["error"]["code"] == "invalid_api_key"

    async def test_the_servers_own_key_is_sent_instead(self, tmp_path: Path) -> None:
        (tmp_path / "upstream.key").write_text("inner\n")
        async with running_tap(tmp_path, upstream_key_file=tmp_path / "upstream.key") as tap:
            await tap.ask()
            assert b"Authorization: Bearer inner" in tap.model.heads[0]

    async def test_health_is_open_and_everything_else_is_not(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            health = await tap.raw(b"GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            models = await tap.raw(b"GET /v1/models HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        assert health.startswith(b"HTTP/1.1 200")
        assert models.startswith(b"HTTP/1.1 401")

    def test_the_configuration_never_holds_a_key(self, tmp_path: Path) -> None:
        config = config_of(tmp_path, 1)
        assert USER not in repr(config)
        assert len(new_key()) > 40


class TestPassing:
    async def test_streams_answers_and_whole_ones(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            streamed = await tap.raw(post(BODY | {"stream": True}), wait_for=b"[DONE]\n\n\r\n0\r\n\r\n")
            whole = await tap.raw(post(BODY), wait_for=b"}}")
        assert streamed.count(b"w0 ") == 1
        assert b"transfer-encoding: chunked" in streamed.lower()
        assert b'"completion_tokens": 3' in whole

    async def test_one_connection_serves_many_requests_also_sent_ahead(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            came = await tap.raw(post(BODY) * 2 + post(BODY, extra="Connection: close\r\n"))
        assert came.count(b"HTTP/1.1 200") == 3

    async def test_an_old_client_gets_a_plain_body(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            came = await tap.raw(post(BODY | {"stream": True}, version="1.0"))
        assert b"transfer-encoding" not in came.lower()
        assert came.endswith(b"data: [DONE]\n\n")

    async def test_chunked_requests(self, tmp_path: Path) -> None:
        payload = json.dumps(BODY).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {USER}\r\n"
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in payload) + b"0\r\n\r\n"
        async with running_tap(tmp_path) as tap:
            came = await tap.raw(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, wait_for=b"}}")
        assert came.startswith(b"HTTP/1.1 200")

    async def test_a_request_sent_byte_by_byte(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
            for byte in post(BODY, extra="Connection: close\r\n"):
                writer.write(bytes([byte]))
                await writer.drain()
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()

    async def test_waits_for_the_body_when_asked_to(self, tmp_path: Path) -> None:
        message = post(BODY, extra="Expect: 100-continue\r\nConnection: close\r\n")
        async with running_tap(tmp_path) as tap:
            came = await tap.raw(message)
        assert came.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


class TestRefusals:
    @pytest.mark.parametrize(
        ("message", "status"),
        [
            (b"nonsense\r\n\r\n", 400),
            (b"GET /v1/models HTTP/2\r\n\r\n", 400),
            (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
            (b"POST /v1/x HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", 400),
            (b"POST /v1/x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
            (b"POST /v1/x HTTP/1.1\r\nContent-Length: -3\r\n\r\n", 400),
            (b"POST /v1/x HTTP/1.1\r\nHost : t\r\n\r\n", 400),
            (b"POST /v1/x HTTP/1.1\r\nX: a\r\n folded\r\n\r\n", 400),
            (b"POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000, 431),
        ],
    )
    async def test_what_is_ambiguous_or_too_long(self, tmp_path: Path, message: bytes, status: int) -> None:
        async with running_tap(tmp_path) as tap:
            came = await tap.raw(message)
            assert tap.model.heads == []
        assert came.startswith(b"HTTP/1.1 %d" % status)

    async def test_a_body_beyond_the_limit(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, body_bytes_max=2000) as tap:
            came = await tap.raw(post({"x": "y" * 3000}))
        assert came.startswith(b"HTTP/1.1 413")

    async def test_many_large_bodies_at_once(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, buffered_bytes_max=3000) as tap:
            whole = post({"x": "y" * 2000})
            _, slow = await asyncio.open_connection("127.0.0.1", tap.port)
            slow.write(whole[:-50])
            await asyncio.sleep(0.05)
            assert (await tap.raw(whole)).startswith(b"HTTP/1.1 503")
            slow.close()
            await asyncio.sleep(0.05)
            assert (await tap.raw(post(BODY, extra="Connection: close\r\n"))).startswith(b"HTTP/1.1 200")

    async def test_strangers_hold_no_memory(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            came = await tap.raw(post({"x": "y" * 100_000}, key="wrong"))
        assert came.startswith(b"HTTP/1.1 413")

    async def test_too_many_connections(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, connections_max=1, mark_ms=50) as tap:
            _, writer = await asyncio.open_connection("127.0.0.1", tap.port)
            await asyncio.sleep(0.02)
            came = await tap.raw(b"")
            await until(lambda: DamageKind.REFUSED in [damage.kind for damage in tap.read().damages])
            writer.close()
        assert b"503" in came

    async def test_idle_connections_are_closed(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, idle_ms=100, mark_ms=50) as tap:
            assert await tap.raw(b"POST /v1/x HTTP/1.1\r\n") == b""


class TestJournal:
    async def test_each_request_is_timed(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, Script(first_s=0.05, gap_s=0.01)) as tap:
            outside = await tap.ask(5, request_id="r-1")
            await tap.ask(2, key=PROBER, request_id="p-1")
            reading = tap.read()
        (inside,) = reading.samples["user"]
        assert inside.request_id == "r-1"
        assert (inside.status, inside.outcome, inside.prompt_tokens, inside.output_tokens) == (
            200,
            Outcome.COMPLETED,
            13,
            5,
        )
        assert len(inside.gaps_ns) == 4
        assert inside.first_token_after_ns is not None
        assert outside.first_token_after_ns is not None
        assert 50_000_000 <= inside.first_token_after_ns <= outside.first_token_after_ns
        assert [s.request_id for s in reading.samples["prober"]] == ["p-1"]
        assert reading.damages == []

    async def test_listings_are_not_requests(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            await tap.raw(b"GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            assert tap.read().samples["user"] == []

    async def test_a_running_answer_is_known_as_far_as_it_came(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, Script(stall_after=3), mark_ms=50) as tap:
            task = asyncio.create_task(tap.ask(9))
            await until(lambda: any(s.progress_after_ns for s in tap.read().samples["user"]))
            await asyncio.sleep(0.12)
            (sample,) = tap.read().samples["user"]
            assert sample.outcome is Outcome.UNFINISHED
            assert sample.first_token_after_ns is not None
            assert sample.end_after_ns is not None
            assert sample.last_token_after_ns is not None
            assert sample.end_after_ns - sample.last_token_after_ns >= 50_000_000
            task.cancel()
            await until(lambda: tap.read().samples["user"][0].outcome is Outcome.ABANDONED)

    async def test_a_server_that_breaks_off(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, Script(break_after=2)) as tap:
            outside = await tap.ask(5)
            (inside,) = tap.read().samples["user"]
        assert outside.outcome is Outcome.FAILED
        assert (inside.outcome, len(inside.gaps_ns), inside.status) == (Outcome.FAILED, 1, 200)

    async def test_a_server_that_is_dead(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, upstream_port=1) as tap:
            outside = await tap.ask()
            (inside,) = tap.read().samples["user"]
        assert (outside.status, inside.status, inside.outcome) == (502, 502, Outcome.FAILED)

    async def test_a_user_whom_the_tap_has_no_room_for_was_failed(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, buffered_bytes_max=2048) as tap:
            big: dict[str, object] = {"messages": [{"role": "user", "content": "a" * 4096}]}
            answer = await tap.raw(post(big, "some-other-key"))
            assert answer.startswith(b"HTTP/1.1 503")
            assert tap.read().samples["user"] == [], "a stranger is no user"
            assert (await tap.raw(post(big))).startswith(b"HTTP/1.1 503")
            (inside,) = tap.read().samples["user"]
        assert (inside.status, inside.outcome) == (503, Outcome.FAILED)

    async def test_whether_a_stream_was_asked_for_is_known_from_the_start(self, tmp_path: Path) -> None:
        nested = {"metadata": {"stream": True}, "messages": [{"role": "user", "content": '"stream": true'}]}
        async with running_tap(tmp_path, Script(first_s=3600)) as tap:
            writers = []
            for body in (BODY, BODY | {"stream": True}, BODY | nested):
                _, writer = await asyncio.open_connection("127.0.0.1", tap.port)
                writer.write(post(body))
                writers.append(writer)
                await until(lambda: len(tap.read().samples["user"]) == len(writers))
            assert [s.streamed for s in tap.read().samples["user"]] == [False, True, False]
            for writer in writers:
                writer.close()
            await until(lambda: all(s.outcome is Outcome.ABANDONED for s in tap.read().samples["user"]))
            assert [s.streamed for s in tap.read().samples["user"]] == [False, True, False]

    async def test_errors_of_the_server_pass_through(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, lambda number: Script(status=(503, 400)[number])) as tap:
            assert [(await tap.ask()).status for _ in range(2)] == [503, 400]
            assert [s.outcome for s in tap.read().samples["user"]] == [Outcome.FAILED, Outcome.REJECTED]

    async def test_long_answers_are_kept_to_a_hundredth(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, Script(gap_s=0)) as tap:
            outside = await tap.ask(700)
            (inside,) = tap.read().samples["user"]
        assert len(inside.gaps_ns) == len(outside.gaps_ns) == 699
        assert sum(inside.gaps_ns) <= (inside.end_after_ns or 0) * 1.03

    async def test_many_at_once(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path) as tap:
            samples = await asyncio.gather(*(tap.ask(3, request_id=str(i)) for i in range(60)))
            reading = tap.read()
        assert {s.status for s in samples} == {200}
        assert {s.request_id for s in reading.samples["user"]} == {str(i) for i in range(60)}


def test_as_a_process_it_is_small_and_ends_orderly(tmp_path: Path) -> None:
    """Standard library only, and not much of it. The bound is generous; benchmarks/tap.py prints the figure."""
    config = {
        "listen": {"host": "127.0.0.1", "port": 0},
        "upstream": {"host": "127.0.0.1", "port": 1},
        "journal": {"folder": str(tmp_path / "journal")},
        "macKey": "ab" * 16,
        "keys": [{"role": "user", "mac": "cd" * 32}],
        "announceFile": str(tmp_path / "tap.json"),
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    process = subprocess.Popen([sys.executable, "-m", "tenure.measurement.tap", str(tmp_path / "config.json")])
    try:
        asyncio.run(until((tmp_path / "tap.json").exists))
        assert json.loads((tmp_path / "tap.json").read_text())["pid"] == process.pid
        if Path("/proc/self/statm").exists():
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            assert pages * resource.getpagesize() < 40 << 20
    finally:
        process.terminate()
    assert process.wait(5) == 0
    last = (tmp_path / "journal" / "journal-00000001.jsonl").read_bytes().splitlines()[-1]
    assert b'"kind":"close"' in last


async def test_a_second_tap_on_the_same_port_gives_way_before_it_touches_the_journal(tmp_path: Path) -> None:
    async with running_tap(tmp_path) as tap:
        segments = sorted(path.name for path in tap.folder.iterdir())
        with pytest.raises(OSError, match="in use"):
            await serve(replace(tap.config, listen_port=tap.port))
        assert sorted(path.name for path in tap.folder.iterdir()) == segments
        assert (await tap.ask()).status == 200
    assert tap.read().damages == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how long bytes waited in the kernel")
async def test_a_tap_that_gets_no_cpu_does_not_shorten_what_its_users_waited(tmp_path: Path) -> None:
    async with model_server(Script(first_s=0.01)) as model:
        document = {
            "listen": {"host": "127.0.0.1", "port": 0},
            "upstream": {"host": "127.0.0.1", "port": model.port},
            "journal": {"folder": str(tmp_path / "journal")},
            "macKey": MAC_KEY,
            "keys": [{"role": "user", "mac": mac_of(MAC_KEY, USER)}],
            "announceFile": str(tmp_path / "tap.json"),
        }
        (tmp_path / "config.json").write_text(json.dumps(document))
        process = subprocess.Popen([sys.executable, "-m", "tenure.measurement.tap", str(tmp_path / "config.json")])
        try:
            await until((tmp_path / "tap.json").exists)
            port = json.loads((tmp_path / "tap.json").read_text())["port"]
            process.send_signal(signal.SIGSTOP)
            due = {"due_wall_ns": time.time_ns(), "due_monotonic_ns": time.monotonic_ns()}
            endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", "m", USER)
            asking = asyncio.create_task(ask(endpoint, Prompt("a", 2), timeout_s=10, **due))
            await asyncio.sleep(0.4)
            process.send_signal(signal.SIGCONT)
            outside = await asking
        finally:
            process.kill()
            process.wait()
    (inside,) = read_journal(tmp_path / "journal").samples["user"]
    assert outside.first_token_after_ns is not None
    assert inside.first_token_after_ns is not None
    assert inside.first_token_after_ns >= 380_000_000
    assert abs(outside.first_token_after_ns - inside.first_token_after_ns) < 30_000_000
    assert abs(outside.arrival_ns - inside.arrival_ns) < 30_000_000


def test_it_imports_no_framework() -> None:
    heavy = ("pydantic", "numpy", "httpx2", "sqlite3", "tenure.promises")
    code = f"import sys, tenure.measurement.tap; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"listen": None}, "listen"),
        ({"listen": {"host": "x", "port": "1"}}, "listen.port"),
        ({"keys": []}, "keys"),
        ({"keys": [{"role": "root", "mac": "ab" * 16}]}, "keys[0].role"),
        ({"keys": [{"role": "user", "mac": "secret"}]}, "keys[0].mac"),
        ({"macKey": "abcd"}, "macKey"),
        ({"surprise": 1}, "surprise"),
        ({"markMs": 1}, "markMs"),
    ],
)
def test_a_wrong_configuration_names_its_field(change: dict[str, object], path: str) -> None:
    document: dict[str, object] = {
        "listen": {"host": "127.0.0.1", "port": 0},
        "upstream": {"host": "127.0.0.1", "port": 1},
        "journal": {"folder": "j"},
        "macKey": "ab" * 16,
        "keys": [{"role": "user", "mac": "cd" * 32}],
    }
    with pytest.raises(TapConfigError) as caught:
        TapConfig.from_document(document | change)
    assert caught.value.path == path


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A model that answers without end."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    try:
        while True:
            writer.write(b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % (b"x" * 65536))
            await writer.drain()
    except ConnectionError:
        writer.close()


class TestSlowReaders:
    async def test_who_takes_nothing_of_his_answer_is_let_go_as_gone_since_then(self, tmp_path: Path) -> None:
        server = await asyncio.start_server(flood, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with running_tap(tmp_path, upstream_port=port, mark_ms=50, idle_ms=300) as tap:
            with socket.create_connection(("127.0.0.1", tap.port)) as asking:
                asking.sendall(post(BODY | {"stream": True}))
                await until(lambda: [s.outcome for s in tap.read().samples["user"]] == [Outcome.ABANDONED])
        server.close()
        lines = b"".join(path.read_bytes() for path in sorted(tap.folder.glob("journal-*.jsonl"))).splitlines()
        records = [json.loads(line.rpartition(b"\t")[0]) for line in lines]
        (held,) = [record["inFlight"] for record in records if record.get("inFlight")][-1]
        assert [record["endNs"] for record in records if record["kind"] == "end"] == [held[3]]


class TestSlowSenders:
    async def test_a_request_still_being_sent_is_told_with_every_mark_until_it_is_journalled(
        self, tmp_path: Path
    ) -> None:
        async with running_tap(tmp_path, mark_ms=20) as tap:
            before_ns = time.time_ns()
            reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
            text = post(BODY)
            writer.write(text[:-10])
            await until(lambda: len(tap.read().arriving_ns) == 1)
            (arrival_ns,) = tap.read().arriving_ns
            assert before_ns - 10_000_000 <= arrival_ns <= time.time_ns()
            assert tap.read().samples["user"] == []
            writer.write(text[-10:])
            await reader.readuntil(b"[DONE]" if BODY.get("stream") else b"}")
            await until(lambda: tap.read().arriving_ns == [] and len(tap.read().samples["user"]) == 1)
            assert tap.read().samples["user"][0].arrival_ns == arrival_ns, "it counts from its first byte"
            writer.close()

    async def test_who_has_no_key_holds_nothing_open(self, tmp_path: Path) -> None:
        async with running_tap(tmp_path, mark_ms=20) as tap:
            _, writer = await asyncio.open_connection("127.0.0.1", tap.port)
            writer.write(post(BODY, "some-other-key")[:-10])
            _, known = await asyncio.open_connection("127.0.0.1", tap.port)
            known.write(post(BODY)[:-10])
            await until(lambda: len(tap.read().arriving_ns) >= 1)
            assert len(tap.read().arriving_ns) == 1
            writer.close()
            known.close()
            await until(lambda: tap.read().arriving_ns == [])
