"""What counts as a token, wherever the network cuts the bytes."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from tenure.measurement.http1 import Body, HttpError, split_head
from tenure.measurement.stream import AnswerTimer


def event(delta: dict[str, object] | None = None, **rest: object) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta}]
    return b"data: " + json.dumps({"choices": choices} | rest).encode() + b"\n\n"


def timed(*events: bytes, streaming: bool = True) -> AnswerTimer:
    timer = AnswerTimer(streaming)
    for at, data in enumerate(events):
        timer.feed(data, (at + 1) * 10)
    timer.finish()
    return timer


def test_a_role_an_empty_piece_and_the_end_are_no_tokens() -> None:
    timer = timed(
        event({"role": "assistant", "content": None}), event({"content": ""}), event({"content": "a"}),
        event({"content": "b"}), event({}, finish_reason="stop"), b"data: [DONE]\n\n",
    )  # fmt: skip
    assert (timer.first_ns, timer.gaps_ns, timer.events) == (30, [10], 2)


def test_reasoning_tool_calls_and_plain_completions_are_tokens() -> None:
    plain = b'data: {"choices":[{"text":"x"}]}\n\n'
    assert timed(event({"reasoning_content": "x"}), event({"tool_calls": [{"index": 0}]}), plain).events == 3


def test_an_answer_cannot_write_itself_a_token() -> None:
    sly = event({"content": None, "refusal": '"content":"x"'})
    assert timed(sly).events == 0


def test_an_error_inside_a_stream_breaks_it() -> None:
    error = b'data: {"error":{"code":500,"message":"out of memory"}}\n\n'
    assert timed(event({"content": "a"}), error).broken
    assert not timed(event({"content": "error"})).broken


def test_the_servers_own_count_wins() -> None:
    timer = timed(event({"content": "a"}), event(None, usage={"prompt_tokens": 7, "completion_tokens": 3}))
    assert (timer.prompt_tokens, timer.output_tokens, timer.events) == (7, 3, 1)
    last = event({"content": "b"}, timings={"prompt_n": 4, "cache_n": 3, "predicted_n": 2})
    assert (timed(last).prompt_tokens, timed(last).output_tokens, timed(last).events) == (7, 2, 1)


def test_a_whole_answer_is_counted_at_its_end() -> None:
    whole = json.dumps({"usage": {"prompt_tokens": 5, "completion_tokens": 6}}).encode()
    timer = timed(whole[:10], whole[10:], streaming=False)
    assert (timer.prompt_tokens, timer.output_tokens, timer.first_ns) == (5, 6, None)


def test_what_is_no_json_is_no_token_and_no_crash() -> None:
    assert timed(b"data: {nonsense\n\n", b"data: 5\n\n", b": comment\n\n", b"event: x\n\n").events == 0


@given(st.lists(st.text(min_size=1, max_size=8), max_size=12), st.data())
def test_cuts_do_not_change_the_count(words: list[str], data: st.DataObject) -> None:
    whole = b"".join(event({"content": word}) for word in words) + b"data: [DONE]\n\n"
    timer, rest = AnswerTimer(True), whole
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        timer.feed(rest[:size], 1)
        rest = rest[size:]
    assert timer.events == len(words)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.binary(max_size=20), st.data())
def test_chunked_bodies_decode_wherever_they_are_cut(pieces: list[bytes], behind: bytes, data: st.DataObject) -> None:
    coded = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nTrailer: x\r\n\r\n"
    body, decoded, left, rest = Body(chunked=True, remaining=None), b"", b"", coded + behind
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        payload, over = body.feed(rest[:size])
        decoded, left, rest = decoded + payload, left + over, rest[size:]
    assert (decoded, body.done) == (b"".join(pieces), True)
    assert left == behind


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_parsers(data: bytes) -> None:
    with contextlib.suppress(HttpError):
        split_head(bytearray(data + b"\r\n\r\n"))
    with contextlib.suppress(HttpError):
        Body(chunked=True, remaining=None).feed(data)
