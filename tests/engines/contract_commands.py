"""What every engine keeps towards one command, however it confines it: what it is given, what it says, how it ends, and
how a wrong question is answered."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from tests.engines.builders import a_run, python, shell
from tests.engines.waiting import eventually

from tenure.engines import (
    EndReason,
    Engine,
    File,
    HealthCheck,
    InvalidRunSpec,
    Phase,
    Restart,
    RestartPolicy,
    RestartsRuns,
    RunConflict,
    RunNotFound,
    RunSpec,
    RunState,
)

NEVER = Restart(policy=RestartPolicy.NEVER)
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Contract:
    """What the parts of the contract share."""

    spec_changes: ClassVar[dict[str, Any]] = {}

    def wanted(self, spec: RunSpec) -> RunSpec:
        """The spec as this engine is to be asked for it."""
        return replace(spec, **self.spec_changes)

    def final(self, engine: Engine, run_id: str) -> RunState:
        """The run once it is final."""
        eventually(lambda: engine.state(run_id).final, f"run {run_id} is final")
        return engine.state(run_id)

    def text(self, engine: Engine, run_id: str, **how: Any) -> list[str]:
        return [line.text for line in engine.logs(run_id, **how)]


class CommandContract(Contract):
    """What every engine must do for one command."""

    def test_another_spec_under_the_same_id_is_a_conflict_that_names_the_field(self, engine: Engine) -> None:
        spec = self.wanted(a_run())
        before = engine.start(spec)
        with pytest.raises(RunConflict) as refusal:
            engine.start(replace(spec, memory_bytes=1 << 30))
        assert refusal.value.field == "memory_bytes"
        assert engine.state(spec.run_id).work.process == before.work.process

    def test_a_cpu_that_is_not_there_is_refused_before_anything_starts(self, engine: Engine) -> None:
        with pytest.raises(InvalidRunSpec) as refusal:
            engine.start(self.wanted(a_run(cpus=(4096,))))
        assert refusal.value.field == "cpus"
        assert list(engine.runs()) == []

    @pytest.mark.parametrize(
        "call",
        [
            lambda engine: engine.state("nobody"),
            lambda engine: engine.stop("nobody"),
            lambda engine: list(engine.logs("nobody")),
            lambda engine: engine.read_back("nobody"),
            lambda engine: engine.forget("nobody"),
            lambda engine: engine.resume("nobody"),
            lambda engine: engine.state("../runs"),
        ],
    )
    def test_an_unknown_run_is_said_to_be_unknown(self, engine: Engine, call: Callable[[Engine], Any]) -> None:
        with pytest.raises(RunNotFound) as refusal:
            call(engine)
        assert refusal.value.code == "RunNotFound"
        assert refusal.value.next_step

    def test_it_gets_its_environment_and_nothing_of_the_servers(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SERVER_SECRET", "must-not-leak")
        spec = self.wanted(shell("env", env={"GREETING": "hello", "WHERE": "{port.http}"}, ports={"http": 0}))
        engine.start(replace(spec, restart=NEVER))
        state = self.final(engine, spec.run_id)
        lines = self.text(engine, spec.run_id)
        assert "GREETING=hello" in lines
        assert f"WHERE={state.ports['http']}" in lines
        assert not any("SERVER_SECRET" in line for line in lines)

    def test_its_files_are_there_with_their_modes_and_filled_in(self, engine: Engine) -> None:
        files = {"etc/key": File(b"secret", 0o400), "run.sh": File(b"echo at {port.http}", 0o755), "raw": File(b"\xff")}
        script = "stat -c %a etc/key; cat etc/key; echo; ./run.sh; od -An -tx1 raw"
        spec = self.wanted(shell(script, files=files, ports={"http": 0}, restart=NEVER))
        engine.start(spec)
        state = self.final(engine, spec.run_id)
        assert self.text(engine, spec.run_id) == ["400", "secret", f"at {state.ports['http']}", " ff"]

    def test_ports_asked_for_as_0_are_free_distinct_and_stay(self, engine: Engine) -> None:
        spec = self.wanted(a_run(ports={"a": 0, "b": 0}))
        ports = engine.start(spec).ports
        assert len(set(ports.values())) == 2
        assert min(ports.values()) > 0
        assert engine.state(spec.run_id).ports == ports

    def test_logs_come_oldest_first_with_their_streams(self, engine: Engine) -> None:
        spec = self.wanted(shell("echo one; sleep 0.05; echo two >&2; sleep 0.05; printf three", restart=NEVER))
        engine.start(spec)
        self.final(engine, spec.run_id)
        lines = list(engine.logs(spec.run_id))
        assert [(line.stream, line.text) for line in lines] == [
            ("stdout", "one"),
            ("stderr", "two"),
            ("stdout", "three"),
        ]
        assert self.text(engine, spec.run_id, tail=1) == ["three"]

    def test_followed_logs_end_with_the_run(self, engine: Engine) -> None:
        spec = self.wanted(shell("for i in 1 2 3; do echo $i; sleep 0.1; done", restart=NEVER))
        engine.start(spec)
        assert self.text(engine, spec.run_id, follow=True) == ["1", "2", "3"]

    @pytest.mark.parametrize(("code", "reason"), [(0, EndReason.COMPLETED), (3, EndReason.FAILED)])
    def test_an_end_is_recorded_with_its_code(self, engine: Engine, code: int, reason: EndReason) -> None:
        spec = self.wanted(shell(f"exit {code}", restart=NEVER))
        engine.start(spec)
        state = self.final(engine, spec.run_id)
        assert (state.phase, state.reason) == (Phase.ENDED, reason)
        assert state.work.last_exit is not None
        assert (state.work.last_exit.known, state.work.last_exit.code) == (True, code)

    def test_a_failing_command_is_restarted_up_to_its_bound(self, engine: Engine) -> None:
        spec = self.wanted(shell("echo try; exit 1", restart=Restart(backoff_ms=1, restarts_max=2)))
        engine.start(spec)
        state = self.final(engine, spec.run_id)
        assert state.reason is EndReason.RESTARTS_EXHAUSTED
        assert state.work.restarts == 2
        assert self.text(engine, spec.run_id) == ["try"] * 3

    def test_on_failure_leaves_a_success_alone(self, engine: Engine) -> None:
        spec = self.wanted(shell("echo once", restart=Restart(backoff_ms=1)))
        engine.start(spec)
        assert self.final(engine, spec.run_id).reason is EndReason.COMPLETED
        assert self.text(engine, spec.run_id) == ["once"]

    def test_health_is_seen_where_it_is_declared(self, engine: Engine) -> None:
        spec = self.wanted(
            python(SERVER, ports={"http": 0}, health=HealthCheck("http", "/health", interval_ms=50)),
        )
        spec = replace(spec, argv=(*spec.argv, "{port.http}"))
        assert engine.start(spec).healthy in (None, True)
        eventually(lambda: engine.state(spec.run_id).healthy is True, "it is healthy")
        assert engine.state(spec.run_id).first_healthy_ms is not None

    def test_a_wrong_answer_is_not_health(self, engine: Engine) -> None:
        spec = self.wanted(python(SERVER, ports={"http": 0}, health=HealthCheck("http", "/elsewhere")))
        spec = replace(spec, argv=(*spec.argv, "{port.http}"))
        engine.start(spec)
        engine.restart(spec.run_id) if isinstance(engine, RestartsRuns) else None
        assert engine.state(spec.run_id).healthy is not True
