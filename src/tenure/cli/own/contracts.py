"""`tenure end` and `tenure renew`: a contract is over before its term, or goes on after it."""

from typing import Annotated

from cyclopts import Parameter

from tenure.cli import exit_codes, failures, requests, screen
from tenure.cli.door import Door, open_door
from tenure.cli.durations import duration_of, seconds_of
from tenure.cli.options import HERE, ContractName, Output, Reach
from tenure.cli.own.outcome import (
    ANSWER_CODES,
    answer_json,
    check_output,
    expiry_of,
    quote_of,
    say_answer,
    say_contract,
)
from tenure.cli.typed import typed
from tenure.cli.verbs.delete import wait_gone
from tenure.cli.verbs.logs import contract_named
from tenure.cli.waiting import waiting
from tenure.client.calls import decode
from tenure.quantities import Duration, Instant, SystemClock, format_instant
from tenure.resources import Contract, Offer, Workload, kind_of
from tenure.resources.kinds.answer import Answer


def end(
    name: ContractName,
    *,
    wait: Annotated[bool, Parameter(help="Wait until its processes are gone and its hold is released.")] = True,
    timeout: Annotated[str, Parameter(help="How long to wait; 0 waits as long as it takes.")] = "2m",
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """End a contract before its term; returns when its processes are gone and its capacity is free.

    Parameters
    ----------
    name
        A contract, or the workload that has one.
    """
    as_json = check_output(output)
    patience = seconds_of(timeout)  # before anything ends
    kind = kind_of(Contract)
    with open_door(reach) as door:
        contract = contract_named(door, name)
        ended = str(contract["metadata"]["name"])
        door.send(requests.delete(kind, ended, door.namespace))
        if wait:
            wait_gone(door, kind, ended, door.namespace, patience)
    if as_json:
        screen.say_as("Ended", {"contract": ended, "waited": wait})
    else:
        screen.say(f"contract {ended} {'ended; what it held is free' if wait else 'is ending'}")
        workload = contract["spec"]["workload"]["name"]
        said = f"workload {workload} asks for nothing more until it is edited: `tenure edit workload {workload}`"
        screen.note(typed(said))
    return exit_codes.YES


def renew(
    name: ContractName,
    *,
    for_: Annotated[
        str,
        Parameter(
            name="--for", allow_leading_hyphen=True, help="For how long; without it, as long as the contract was."
        ),
    ] = "",
    accept: Annotated[str, Parameter(help="best accepts the best offer that meets the need in full.")] = "",
    timeout: Annotated[str, Parameter(help="How long to wait.")] = "15m",
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """Go on where a contract ends: shows the renewal offer that is held for it, or asks for one.

    Notice of the end brings an offer for as long again by itself. Earlier, or for another length, this asks for offers
    that begin when the contract ends; the contract stands until then, whatever is accepted.

    Parameters
    ----------
    name
        A contract, or the workload that has one.
    """
    as_json = check_output(output)
    if accept not in ("", "best"):
        raise failures.usage(f"--accept {accept!r} is not known", "write --accept best")
    patience = seconds_of(timeout)
    asked = duration_of("--for", for_) if for_ else None
    with open_door(reach) as door:
        contract = decode(Contract, contract_named(door, name))
        if int(contract.spec.term.end) <= SystemClock().now_ms():
            raise failures.conflict(f"contract {contract.name} is over", "Ended", "request its workload again")
        held = None if for_ else _held_renewal(door, contract)
        if held is not None:
            return _show_held(door, contract, held, accept=bool(accept), patience=patience, as_json=as_json)
        length = asked or _length_of(contract)
        start = format_instant(int(contract.spec.term.end))
        term = {"duration": str(length), "start": start, "startBy": None, "end": None}
        workload = contract.spec.workload.name
        stated = door.client.patch(Workload, workload, {"spec": {"term": term}}, namespace=contract.namespace)
        with waiting(f"offers from {start} on", quiet=as_json) as told:
            answered = door.client.wait_answered(stated, timeout_seconds=patience, progress=told)
        answer = answered.status.answer if answered.status else None
        if answer is None:
            raise failures.unverifiable(f"workload {workload} has no answer", next_step=f"`tenure why {workload}`")
        best = answer.quotes[0] if answer.quotes else None
        renewed = None
        if accept and best is not None and best.meets_in_full:
            with waiting("renewal", quiet=as_json) as told:
                where = contract.namespace
                renewed = door.client.accept(best, namespace=where, timeout_seconds=patience, progress=told)
        expires = expiry_of(door.client, answered)
    if as_json:
        made = renewed.to_json() if renewed else None
        screen.say_as("Renewal", answer_json(answer, renews=contract.name, contract=made))
    elif renewed is not None:
        say_contract(renewed)
    else:
        say_answer(answer, held=True, expires_ms=expires)
    return exit_codes.YES if renewed is not None else ANSWER_CODES[answer.kind]


def _held_renewal(door: Door, contract: Contract) -> Offer | None:
    """The renewal that is held for the contract since notice was given."""
    offers = door.client.list(Offer, namespace=contract.namespace).items
    of_it = [o for o in offers if o.spec.renews == contract.name and o.status is not None and o.status.phase == "Held"]
    return min(of_it, key=lambda offer: offer.spec.rank, default=None)


def _show_held(door: Door, contract: Contract, offer: Offer, *, accept: bool, patience: float, as_json: bool) -> int:
    """Show it, or accept it."""
    renewed = None
    if accept and offer.spec.meets_in_full:
        with waiting("renewal", quiet=as_json) as told:
            renewed = door.client.accept(offer, namespace=contract.namespace, timeout_seconds=patience, progress=told)
    answer = _answer_of(offer)
    if as_json:
        made = renewed.to_json() if renewed else None
        screen.say_as("Renewal", answer_json(answer, renews=contract.name, contract=made))
    elif renewed is not None:
        say_contract(renewed)
    else:
        say_answer(answer, held=True, expires_ms=int(offer.spec.expires_at))
    return exit_codes.YES if renewed is not None else ANSWER_CODES[answer.kind]


def _answer_of(offer: Offer) -> Answer:
    """The held offer as the answer that it is."""
    kind = "Offers" if offer.spec.meets_in_full else "CounterOffers"
    return Answer(kind=kind, answered_at=Instant(SystemClock().now_ms()), quotes=[quote_of(offer)])


def _length_of(contract: Contract) -> Duration:
    term = contract.spec.term
    return Duration((int(term.end) - int(term.start)) * 10**6)
