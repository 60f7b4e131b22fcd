"""A metrics page is read as it is, and one that is no longer true is recognised."""

from __future__ import annotations

import asyncio

import pytest

from tenure.measurement import LLAMA_CPP, MetricsMap, ScrapeError
from tenure.measurement.scrape import MetricsState, Scrape, fetch, increase, mapped, parse_metrics, scrape, state_of
from tests.measurement.model_server import model_server

PAGE = """
# HELP llamacpp:tokens_predicted_total Number of generation tokens processed
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 3
llamacpp:tokens_predicted_seconds_total 0.012986
vllm:generation_tokens_total{engine="0",model="a b{}"} 5 1700000000000
vllm:generation_tokens_total{engine="1"} 7.5e1
broken line here x
odd NaN
"""


def test_values_are_summed_over_labels_and_oddities_counted() -> None:
    values, strange = parse_metrics(PAGE)
    assert values["llamacpp:tokens_predicted_total"] == 3
    assert values["vllm:generation_tokens_total"] == 80
    assert strange == 1
    assert "odd" not in values


def test_an_exemplar_of_openmetrics_is_no_value() -> None:
    page = """
answered_total{path="/a # {b}"} 7.0 # {trace_id="4bf92f"} 0.67 1700000000.5
tokens_total 12 # {trace_id="4bf92f"} 3
# EOF
"""
    assert parse_metrics(page) == ({"answered_total": 7, "tokens_total": 12}, 0)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "1e300", "9007199254740992"])
def test_what_is_no_figure_is_not_reckoned_with(value: str) -> None:
    assert parse_metrics(f"tokens {value}\n") == ({}, 0)
    noted = Scrape(1, float(value), float(value), 1.0, None)
    assert (Scrape.from_record(noted.as_record()).output_tokens, noted.running) == (None, 1.0)


def test_names_are_mapped_and_missing_ones_unknown() -> None:
    found = mapped(parse_metrics(PAGE)[0], LLAMA_CPP, 5)
    assert found == Scrape(5, 3, 0.012986, None, None)


def test_a_counter_that_openmetrics_names_total_is_found_under_its_own_name() -> None:
    names = MetricsMap("tokens", "seconds", running="busy", waiting="queued")
    page = {"tokens_total": 7.0, "seconds_total": 0.5, "busy_total": 3.0, "queued": 1.0}
    assert mapped(page, names, 5) == Scrape(5, 7.0, 0.5, None, 1.0), "of counters alone: a gauge is called as it is"
    assert mapped(page | {"tokens": 8.0}, names, 5).output_tokens == 8.0, "its own name goes first"


async def test_over_http() -> None:
    async with model_server() as model:
        model.tokens = 42
        assert (await scrape(f"http://127.0.0.1:{model.port}/metrics", LLAMA_CPP)).output_tokens == 42
    with pytest.raises(ScrapeError):
        await fetch(f"http://127.0.0.1:{model.port}/metrics")
    with pytest.raises(ScrapeError, match="no http"):
        await fetch("file:///etc/passwd")


async def test_openmetrics_is_asked_for_and_the_older_text_taken_too() -> None:
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.extend((await reader.readuntil(b"\r\n\r\n")).decode().splitlines())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntokens 1\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await fetch(f"http://127.0.0.1:{port}/metrics") == "tokens 1\n"
    assert "Accept: application/openmetrics-text; version=1.0.0,text/plain;q=0.5" in asked


def series(*counts: float) -> list[Scrape]:
    return [Scrape(at, count, None, None, None) for at, count in enumerate(counts)]


@pytest.mark.parametrize(
    ("counts", "tokens", "state"),
    [
        ((), 0, MetricsState.ABSENT),
        ((5,), 0, MetricsState.ABSENT),
        ((5, 5), 0, MetricsState.LIVE),
        ((5, 5), 9, MetricsState.FROZEN),
        ((50, 90, 70), 9, MetricsState.REPLAYED),
        ((50, 90, 7), 9, MetricsState.LIVE),
        ((5, 9), 4, MetricsState.LIVE),
    ],
)
def test_the_state_of_a_page(counts: tuple[float, ...], tokens: int, state: MetricsState) -> None:
    assert state_of(series(*counts), tokens) is state


def test_the_increase_goes_on_from_zero_behind_a_restart() -> None:
    assert increase(series(50, 90, 7, 10)) == (50, True)
    assert increase(series(50, 90)) == (40, False)
