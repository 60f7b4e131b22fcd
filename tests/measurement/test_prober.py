"""The prober asks from outside within its budget, and only where no user waits for the slot."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tenure.measurement import LLAMA_CPP, Endpoint, JournalWriter, MetricsMap, read_journal
from tenure.measurement.prober import MetricsPage, Prober, ProberConfig, main
from tenure.promises import Outcome
from tests.measurement.model_server import model_server
from tests.measurement.taps import PROBER, running_tap, until


async def test_probes_are_written_down_outside_and_known_to_the_tap(tmp_path: Path) -> None:
    async with running_tap(tmp_path) as tap:
        config = ProberConfig(tap.endpoint(PROBER), 100, 20, 3, tmp_path / "prober")
        journal, stop = JournalWriter(config.journal_folder), asyncio.Event()
        task = asyncio.create_task(Prober(config, journal).run(stop))
        await until(lambda: len(read_journal(tmp_path / "prober").samples.get("probe", [])) >= 5)
        stop.set()
        await task
        journal.close()
        outside = read_journal(tmp_path / "prober")
        inside = {s.request_id: s for s in tap.read().samples["prober"]}
    assert outside.damages == []
    assert len(outside.pending_ns) < 30, "what was sent has come back, but for what was cut short at the end"
    for sample in outside.samples["probe"]:
        assert sample.outcome is Outcome.COMPLETED
        assert sample.first_token_after_ns is not None
        assert sample.first_token_after_ns >= (inside[sample.request_id].first_token_after_ns or 0)
        assert sample.end_by_kernel


async def test_it_holds_back_when_all_slots_are_taken(tmp_path: Path) -> None:
    async with model_server() as model:
        names = MetricsMap("llamacpp:tokens_predicted_total", running="llamacpp:tokens_predicted_total")
        model.tokens = 2  # Served under the name that is mapped to the running requests.
        config = ProberConfig(
            endpoint=Endpoint(f"http://127.0.0.1:{model.port}", "m"),
            per_second=100,
            prompt_tokens=20,
            output_tokens=3,
            journal_folder=tmp_path / "prober",
            metrics=MetricsPage(f"http://127.0.0.1:{model.port}/metrics", names, slots=2),
        )
        journal, stop = JournalWriter(config.journal_folder), asyncio.Event()
        task = asyncio.create_task(Prober(config, journal).run(stop))
        await until(lambda: len(read_journal(tmp_path / "prober").skipped_ns) >= 3)
        stop.set()
        await task
        journal.close()
        assert model.asked == []


async def test_it_reads_the_metrics_into_its_journal_and_says_when_it_cannot(tmp_path: Path) -> None:
    async with model_server() as model:
        model.tokens = 5
        page = MetricsPage(f"http://127.0.0.1:{model.port}/metrics", LLAMA_CPP, key="inner")
        config = ProberConfig(Endpoint("http://127.0.0.1:1", "m"), 0, 20, 3, tmp_path / "prober", metrics=page)
        journal, stop = JournalWriter(config.journal_folder), asyncio.Event()
        task = asyncio.create_task(Prober(config, journal).run(stop))
        await until(lambda: len(read_journal(tmp_path / "prober").scrapes) >= 1)
        assert read_journal(tmp_path / "prober").scrapes[0].output_tokens == 5
        assert b"Authorization: Bearer inner" in model.heads[0]
    await until(lambda: b'"kind":"unread"' in (tmp_path / "prober" / "journal-00000001.jsonl").read_bytes())
    stop.set()
    await task
    journal.close()


def test_its_configuration_holds_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "key").write_text("tenure-secret\n")
    document = {"baseUrl": "http://h:1/v1", "model": "m", "keyFile": str(tmp_path / "key"), "perSecond": 0.1}
    document |= {"promptTokens": 50, "outputTokens": 4, "journal": str(tmp_path / "j")}
    document |= {"metrics": {"url": "http://h:2/metrics", "outputTokens": "t", "keyFile": str(tmp_path / "key")}}
    (tmp_path / "config.json").write_text(json.dumps(document))
    assert ProberConfig.read(tmp_path / "config.json").endpoint.api_key == "tenure-secret"
    assert main([str(tmp_path / "absent.json")]) == 2
    assert "absent.json" in capsys.readouterr().err
