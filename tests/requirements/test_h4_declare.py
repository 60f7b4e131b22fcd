"""H4: typed objectives are accepted, vague and contradictory ones rejected with the field and the next step."""

from pathlib import Path

import pytest

from tests.requirements.home import House

GOOD = """\
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {name: chat, namespace: default}
spec:
  inference: {model: smollm2-135m-instruct}
  load: {requestsPerSecond: 0.25, promptTokens: 50, outputTokens: 40}
  objectives: {timeToFirstToken: {p95: 1s}, interTokenLatency: {p95: 60ms}}
  term: {duration: 30d}
"""


def judged(tmp_path: Path, text: str) -> tuple[int, str]:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    said = House(tmp_path / "home").tenure("lint", "-f", file)
    return said.code, said.err


def test_typed_objectives_are_accepted(tmp_path: Path) -> None:
    assert judged(tmp_path, GOOD)[0] == 0


@pytest.mark.parametrize(
    ("wrong", "code", "path"),
    [
        (GOOD.replace("p95: 1s", "p95: fast"), "InvalidQuantity", "spec.objectives.timeToFirstToken.p95"),
        (GOOD.replace("p95: 1s", "p95: 1"), "InvalidQuantity", "spec.objectives.timeToFirstToken.p95"),
        (GOOD.replace("p95: 1s", "p50: 2s, p95: 1s"), "ContradictoryObjectives", "spec.objectives.timeToFirstToken"),
        (GOOD.replace("timeToFirstToken: {p95: 1s}", "quick: true"), "UnknownField", "spec.objectives.quick"),
        (
            GOOD.replace("  load: {requestsPerSecond: 0.25, promptTokens: 50, outputTokens: 40}\n", ""),
            "LoadMissing",
            "spec",
        ),
        (GOOD.replace("0.25", "-1"), "InvalidQuantity", "spec.load.requestsPerSecond"),
        (GOOD.replace("30d", "0s"), "InvalidTerm", "spec.term"),
    ],
)
def test_twin_vague_and_contradictory_ones_are_rejected(tmp_path: Path, wrong: str, code: str, path: str) -> None:
    exit_code, said = judged(tmp_path, wrong)
    assert exit_code == 2
    assert f"[{code}]" in said
    assert path in said
    assert "→" in said, "the next step"
