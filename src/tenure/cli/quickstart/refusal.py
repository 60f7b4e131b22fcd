"""Step 4: needs that do not fit. What binds is named with its numbers, and what would fit is held."""

from tenure.cli.quickstart.need import best_offer
from tenure.cli.quickstart.outcome import COUNTER_OFFERED, INFEASIBLE, of_refusal
from tenure.cli.quickstart.stage import Stage
from tenure.quantities import Duration

BUSIER = """\
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {{name: busier, namespace: default}}
spec:
  inference: {{model: smollm2-135m-instruct}}
  load: {{requestsPerSecond: 3, promptTokens: 40, outputTokens: 16}}
  objectives: {{{objective}: {{p95: {bound}}}}}
  assurance: {{window: 1s, share: 0.75, confidence: 0.75}}
  term: {{duration: 5m}}
"""
SOVEREIGN = """\
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {name: sovereign, namespace: default}
spec:
  inference: {model: smollm2-135m-instruct}
  load: {requestsPerSecond: 1, promptTokens: 40, outputTokens: 16}
  objectives: {timeToFirstToken: {p95: 2s}}
  residency: {jurisdictions: [EU]}
  assurance: {window: 1s, share: 0.75, confidence: 0.75}
"""


def refuse_and_counter(stage: Stage, contract: str) -> None:
    """Twice the load at a bound that this machine keeps for half of it; then a rule that nobody has shown to hold."""
    stage.heading(
        "Refuse, and counter", "Every no names what binds, and what would fit is held, priced and one command away."
    )
    objective, bound = _bound_between(stage, contract)
    path = stage.file("busier.yaml", BUSIER.format(objective=objective, bound=bound))
    stage.say(
        "[dim]Twice the load of the first, at a bound that was chosen between what this machine was measured to keep "
        "for one and for two times the load.[/]"
    )
    code = stage.run("request", "-f", path, expect=(0, INFEASIBLE, COUNTER_OFFERED))
    if code == COUNTER_OFFERED:
        stage.run("accept", "--no-wait", best_offer(stage, "busier"))
    stage.say("")
    path = stage.file("sovereign.yaml", SOVEREIGN)
    stage.say("[dim]This one must stay in the European Union. Nobody has said where this machine stands.[/]")
    stage.run("request", "-f", path, expect=(INFEASIBLE,))
    stage.outcomes.append(of_refusal(code))


def _bound_between(stage: Stage, contract: str) -> tuple[str, str]:
    """An objective and a bound between what the evidence carries at the contract's load and at twice that.

    Asked of Tenure itself, by an Inquiry that holds nothing, with bounds so wide that everything measured is quoted.
    """
    wide = stage.folder / "what-if.yaml"
    wide.write_text(BUSIER.format(objective="timeToFirstToken", bound="60s, p50: 50s"))
    answer = stage.json("ask", "-f", wide, expect=(0, INFEASIBLE, COUNTER_OFFERED))
    twice = _carried(answer)
    with stage.door() as door:
        promised = stage.contract(door, contract).spec.promises.statistical
    once = next((int(p.carried or 0) for p in promised if p.metric == "timeToFirstToken"), 0)
    middle = (once + max(twice, once)) // 2
    milliseconds = max(1, middle // 10**6)
    return "timeToFirstToken", str(Duration(milliseconds * 10**6))


def _carried(answer: dict) -> int:  # type: ignore[type-arg]
    """The best bound that any quote's evidence carries, in ns; 0 when nothing is quoted."""
    found = [
        int(Duration.parse(promise["carried"]))
        for quote in (answer.get("status", {}).get("answer") or answer).get("quotes", [])
        for promise in quote["promises"]["statistical"]
        if promise["metric"] == "timeToFirstToken" and promise.get("carried") and promise["percentile"] == "p95"
    ]
    return min(found, default=0)
