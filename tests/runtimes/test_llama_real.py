"""A real model served by a real llama.cpp under the real engine: it answers, it stays in its place and its memory."""

import json
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engines.builders import last_cpu
from tests.engines.waiting import eventually
from tests.support.models import cached_model

from tenure.engines import HealthCheck, LocalEngine, RunSpec, RunState
from tenure.runtimes import Launch, Shape, launch_llamacpp, read_gguf

pytestmark = pytest.mark.real
BUSY_SECONDS = 240
"""For a start and for an answer, on a machine that is busy with other things."""
xllamacpp = pytest.importorskip("xllamacpp", reason="the extra tenure[llama] is not installed")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[LocalEngine]:
    local = LocalEngine(tmp_path / "home")
    yield local
    for run in local.runs():
        local.stop(run.run_id)


def a_launch(shape: Shape, context: int, **changes: Any) -> Launch:
    model = cached_model()
    return launch_llamacpp(
        python=sys.executable,
        model_path=str(model),
        alias="smollm2",
        facts=read_gguf(model),
        shape=shape,
        context=context,
        **changes,
    )


def serve(engine: LocalEngine, launch: Launch, *, limited: bool = True) -> RunState:
    assert launch.health_port is not None
    spec = RunSpec(
        run_id="llama",
        namespace="default",
        name="llama",
        argv=launch.argv,
        env=launch.env,
        ports=launch.ports,
        cpus=(last_cpu(),),
        memory_bytes=launch.memory_bytes if limited else None,
        health=HealthCheck(launch.health_port, launch.health_path),
    )
    engine.start(spec)
    eventually(lambda: engine.state("llama").healthy is True, "the server is healthy", timeout_s=BUSY_SECONDS)
    return engine.state("llama")


def ask(state: RunState, text: str, tokens: int, key: str | None = None) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": tokens, "ignore_eos": True}
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    url = f"http://127.0.0.1:{state.ports['backend']}/v1/chat/completions"
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=BUSY_SECONDS) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_a_pinned_server_answers_on_its_own_core(engine: LocalEngine) -> None:
    state = serve(engine, a_launch(Shape(1, 2), 512))
    answer = ask(state, "Name a color.", 8)
    assert answer["usage"]["completion_tokens"] == 8
    back = engine.read_back("llama")
    assert back.cpus_allowed == {last_cpu()}
    assert {thread.last_cpu.value for thread in back.threads} == {last_cpu()}
    assert engine.stop("llama", grace_ms=30_000).work.last_exit.code == 0  # type: ignore[union-attr]


def test_with_a_backend_key_only_its_holder_is_answered(engine: LocalEngine) -> None:
    state = serve(engine, a_launch(Shape(1, 1), 256, backend_key="only-the-tap"))
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(state, "Hi", 1)
    assert refused.value.code == 401
    assert ask(state, "Hi", 1, key="only-the-tap")["usage"]["completion_tokens"] == 1


@pytest.mark.parametrize(("slots", "context"), [(1, 256), (2, 2048), (4, 1024)])
def test_its_memory_stays_under_the_estimate_which_is_no_fantasy(engine: LocalEngine, slots: int, context: int) -> None:
    launch = a_launch(Shape(1, slots), context)
    state = serve(engine, launch, limited=False)
    long = "word " * min(context - 80, 300)
    askers = [threading.Thread(target=ask, args=(state, long, 4)) for _ in range(slots)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert state.work.process is not None
    status = Path(f"/proc/{state.work.process.pid}/status").read_text()
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    assert launch.memory_bytes is not None
    assert peak <= launch.memory_bytes <= 1.6 * peak
