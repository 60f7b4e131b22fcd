"""What the verbs of this folder share: an answer printed, and the exit code that it means."""

from typing import Any

from tenure.cli import exit_codes, failures, screen
from tenure.cli.answer import answer_view
from tenure.cli.contract_view import contract_view
from tenure.cli.typed import typed
from tenure.client import Client, NotFound
from tenure.quantities import Bytes, SystemClock
from tenure.resources import Contract, Offer, Workload
from tenure.resources.kinds.answer import Answer, Quote

ANSWER_CODES = {
    "Offers": exit_codes.YES,
    "CounterOffers": exit_codes.COUNTER_OFFERED,
    "Refusal": exit_codes.INFEASIBLE,
    "NeedsTrial": exit_codes.UNVERIFIABLE,
}


def say_answer(answer: Answer, *, held: bool, expires_ms: int | None = None) -> None:
    """Print an answer for people."""
    view = answer_view(answer, now_ms=SystemClock().now_ms(), held=held, expires_ms=expires_ms)
    screen.console(markup=False).print(view)


def say_contract(contract: Contract) -> None:
    """Print a contract for people."""
    screen.console(markup=False).print(contract_view(contract, now_ms=SystemClock().now_ms()))


def say_checkpoint(contract: Contract) -> None:
    """The checkpoint that its user got, and the command that saves it: only a copy in their own hands proves later that
    nothing was left out."""
    note = checkpoint_of(contract)
    if note is None:
        return
    screen.say(
        "checkpoint of the evidence, yours to keep: `tenure evidence verify` proves by it that nothing is left out"
    )
    for line in note.rstrip("\n").split("\n"):
        screen.say(f"  {line}".rstrip())
    screen.say(f"  save   {typed(saving_checkpoint(contract))}")


def checkpoint_of(contract: Contract) -> str | None:
    """The signed checkpoint that the contract's user got when it became active; None before."""
    return contract.status.checkpoint if contract.status else None


def saving_checkpoint(contract: Contract) -> str:
    """The command that saves it."""
    there = "" if contract.namespace in (None, "default") else f" -n {contract.namespace}"
    asked = f"tenure get contract {contract.name}{there} -o jsonpath={{.status.checkpoint}}"
    return f"{asked} > {contract.name}.checkpoint"


def quote_of(offer: Offer) -> Quote:
    """A held offer as its answer quoted it."""
    spec = offer.spec
    return Quote(
        offer=offer.name,
        meets_in_full=spec.meets_in_full,
        relaxed=spec.relaxed,
        promises=spec.promises,
        shape=spec.shape,
        runtime=spec.runtime,
        machine=spec.machine,
        cores=sum(len(claim.cores) for claim in spec.hold.claims),
        reserve_cores=sum(len(claim.cores) for claim in spec.hold.reserve) or None,
        memory=Bytes(sum(int(claim.memory) for claim in spec.hold.claims)),
        start=spec.hold.start,
        end=spec.hold.end,
        price=spec.price,
        watts=spec.watts,
        chosen=spec.chosen,
    )


def answer_json(answer: Answer | None, **more: Any) -> dict[str, Any]:
    """An answer for programs, with what goes with it."""
    said = {"answer": answer.to_json()} if answer is not None else {}
    return {**{key: value for key, value in more.items() if value is not None}, **said}


def expiry_of(client: Client, workload: Workload) -> int | None:
    """Until when the offers of a workload's answer are held, Unix milliseconds; the first that expires."""
    answer = workload.status.answer if workload.status else None
    names = [quote.offer for quote in (answer.quotes if answer else []) if quote.offer]
    expiries = []
    for name in names:
        try:
            offer = client.get(Offer, name, namespace=workload.namespace)
        except NotFound:
            continue
        expiries.append(int(offer.spec.expires_at))
    return min(expiries, default=None)


def check_output(output: str) -> bool:
    """Whether JSON is asked for. Raises Failure (usage) for any other format than text and json."""
    if output not in ("text", "json"):
        raise failures.usage(f"the output format {output!r} is not known", "use -o json", "UnknownFormat")
    return output == "json"
