"""Step 3: an offer becomes a contract, and its endpoint answers."""

import json
import time
import urllib.request

from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from tenure.cli import exit_codes
from tenure.cli.failures import Failure
from tenure.cli.quickstart.load import _OPENER
from tenure.cli.quickstart.stage import LOOK_SECONDS, Stage
from tenure.measurement import Endpoint
from tenure.resources import Secret, kind_of

QUESTION = "In one sentence: what is a contract?"
ANSWER_TOKENS_MAX = 60
ATTEMPTS = 3
FRESH_SECONDS_MAX = 60.0
PUBLIC_KEY, CHECKPOINT = "public.pem", "checkpoint.txt"


def accept(stage: Stage, offer: str) -> str:
    """Accept, see it commissioned and signed, ask it something; returns the contract's name."""
    stage.heading("Contract", "Held, started on its very core, measured there, signed. Only then is it Active.")
    offer = signed(stage, offer)
    stage.run("env", offer, quiet=True)
    endpoint = endpoint_of(stage, offer)
    stage.type("curl", "-N", f"{endpoint.base_url}/chat/completions", "...")
    _stream(stage, endpoint)
    _keep_two_things(stage, offer)
    return offer


def signed(stage: Stage, offer: str) -> str:
    """Accept until one is signed: a busy machine may not keep, just then, what it was measured to keep."""
    for _ in range(ATTEMPTS - 1):
        if stage.run("accept", offer, expect=(exit_codes.YES, exit_codes.NO)) == exit_codes.YES:
            return offer
        stage.say(
            "[yellow]On its very core it was slower than its evidence, so nothing was signed and nothing is promised. "
            "Fresh offers are made, and the best of them is taken.[/]"
        )
        offer = fresh_offer(stage, "chat", instead_of=offer)
        stage.run("get", "offers")
    stage.run("accept", offer)
    return offer


def fresh_offer(stage: Stage, workload: str, instead_of: str) -> str:
    """The best offer that is held now, once there is another one."""
    for _ in range(round(FRESH_SECONDS_MAX / LOOK_SECONDS)):
        offers = stage.json("get", "offers")["items"]
        held = {item["metadata"]["name"] for item in offers if item.get("status", {}).get("phase") == "Held"}
        quotes = ((stage.json("get", "workload", workload).get("status") or {}).get("answer") or {}).get("quotes") or []
        fresh = [quote["offer"] for quote in quotes if quote.get("offer") in held - {instead_of}]
        if fresh:
            return str(fresh[0])
        time.sleep(LOOK_SECONDS)
    raise Failure(
        f"no fresh offer was made for {workload} within {FRESH_SECONDS_MAX:.0f} s",
        exit_code=exit_codes.INFEASIBLE,
        reason="Infeasible",
        next_step=f"tenure why {workload}",
    )


def _keep_two_things(stage: Stage, contract: str) -> None:
    """What its user keeps from the first day, so that nobody can show a shorter or another history later."""
    stage.say("")
    stage.say("[dim]Two things to keep from this day on; the last step proves by them that nothing was left out:[/]")
    for file, words in (
        (PUBLIC_KEY, ("evidence", "show", "--public-key")),
        (CHECKPOINT, ("get", "contract", contract, "-o", "jsonpath={.status.checkpoint}")),
    ):
        stage.type("tenure", *words, ">", stage.folder / file)
        (stage.folder / file).write_text(stage.text(*words))


def endpoint_of(stage: Stage, contract: str) -> Endpoint:
    """The contract's endpoint and key, as `tenure env` prints them."""
    with stage.door() as door:
        status = stage.contract(door, contract).status
        assert status is not None
        assert status.endpoint is not None
        assert status.credential is not None
        secret = Secret.model_validate(door.get(kind_of(Secret), status.credential, "default"))
        body = stage.contract(door, contract).spec.body
    assert body.inference is not None
    return Endpoint(status.endpoint, body.inference.model, secret.text("OPENAI_API_KEY"))


def _stream(stage: Stage, endpoint: Endpoint) -> None:
    """The answer, token by token, as it comes."""
    body = {
        "model": endpoint.model,
        "stream": True,
        "max_tokens": ANSWER_TOKENS_MAX,
        "messages": [{"role": "user", "content": QUESTION}],
    }
    request = urllib.request.Request(
        f"{endpoint.base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {endpoint.api_key}", "Content-Type": "application/json"},
    )
    stage.say(f"[dim]you[/]    {QUESTION}")
    text = Text()
    with _OPENER.open(request, timeout=60) as answer, Live(console=stage.screen, refresh_per_second=12) as live:
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            choice = json.loads(line[6:])["choices"]
            text.append((choice[0]["delta"].get("content") or "") if choice else "")
            live.update(Padding(Text.assemble(("model  ", "dim"), text), (0, 0, 0, 2)))
    if not stage.screen.is_terminal:
        stage.screen.print()
