"""What is to be started: pure, exact, and within what the model takes."""

from pathlib import Path

import pytest
from tests.runtimes.gguf_files import a_header, write_gguf

from tenure.runtimes import (
    GgufFacts,
    Shape,
    estimate_memory_bytes,
    launch_command,
    launch_llamacpp,
    parse_rule,
    read_gguf,
)


@pytest.fixture
def facts(tmp_path: Path) -> GgufFacts:
    return read_gguf(write_gguf(tmp_path / "m.gguf", a_header()))


def test_llamacpp_is_started_with_the_shape_and_nothing_guessed(facts: GgufFacts) -> None:
    rule = parse_rule("outputTokensPerSecond", "llamacpp:tokens_predicted_total", "tokens")
    launch = launch_llamacpp(
        python="python", model_path="/m.gguf", alias="m", facts=facts, shape=Shape(2, 4), context=300, metrics=[rule]
    )
    assert launch.argv[:3] == ("python", "-m", "tenure.runtimes.llamacpp")
    options = dict(zip(launch.argv[3::2], launch.argv[4::2], strict=True))
    assert options == {
        "--model": "/m.gguf",
        "--alias": "m",
        "--port": "{port.backend}",
        "--threads": "2",
        "--slots": "4",
        "--context": "512",
        "--batch": "512",
    }
    assert (launch.protocol, launch.health_path, launch.metrics_path) == ("openai", "/health", "/metrics")
    assert launch.metrics == (rule,)
    assert launch.memory_bytes == estimate_memory_bytes(facts, Shape(2, 4), 512)


def test_more_context_than_the_model_was_trained_for_is_refused(facts: GgufFacts) -> None:
    with pytest.raises(ValueError, match="512"):
        launch_llamacpp(python="python", model_path="/m.gguf", alias="m", facts=facts, shape=Shape(1, 1), context=513)


def test_memory_grows_with_slots_and_context_by_their_keys_and_values(facts: GgufFacts) -> None:
    base = estimate_memory_bytes(facts, Shape(1, 1), 256)
    assert estimate_memory_bytes(facts, Shape(1, 2), 256) > base
    assert estimate_memory_bytes(facts, Shape(1, 1), 512) - base >= facts.kv_bytes_per_token * 256


def test_a_command_is_started_as_it_is() -> None:
    launch = launch_command(["train", "--fast"], env={"A": "b"}, ports={"metrics": 0}, metrics_port="metrics")
    assert (launch.argv, launch.metrics_path, launch.memory_bytes) == (("train", "--fast"), "/metrics", None)
    assert launch_command(["train"]).metrics_path is None


def test_a_role_without_its_port_is_refused() -> None:
    with pytest.raises(ValueError, match="health"):
        launch_command(["serve"], health_port="http")
    with pytest.raises(ValueError, match="program"):
        launch_command([])


def test_metric_rules_are_a_metric_or_the_ratio_of_two() -> None:
    ratio = parse_rule("timePerOutputToken", "a_seconds_total / a_total", "seconds")
    assert (ratio.metric, ratio.per, ratio.is_counter) == ("a_seconds_total", "a_total", True)
    assert not parse_rule("queue", "requests_deferred", "requests").is_counter
    for wrong in ("a / b / c", "a b", "", "2x"):
        with pytest.raises(ValueError, match="metric's name"):
            parse_rule("x", wrong, "")
