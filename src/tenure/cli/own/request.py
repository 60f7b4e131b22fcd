"""`tenure request`: a need is stated, and what holds for it is shown as it comes about."""

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

from tenure.cli import completers, exit_codes, failures, screen
from tenure.cli.door import Door, open_door
from tenure.cli.durations import seconds_of
from tenure.cli.manifests import Manifest, read_one
from tenure.cli.options import HERE, OneFile, Output, Reach
from tenure.cli.own.outcome import (
    ANSWER_CODES,
    answer_json,
    check_output,
    expiry_of,
    say_answer,
    say_checkpoint,
    say_contract,
)
from tenure.cli.typed import typed
from tenure.cli.verbs.apply import apply_one
from tenure.cli.waiting import waiting
from tenure.client.calls import decode
from tenure.resources import Contract, Workload
from tenure.resources.kinds.answer import Answer

ACCEPTS = ("", "best", "any")


def request(
    *,
    filename: OneFile,
    accept: Annotated[
        str,
        Parameter(
            help="best takes the best offer that meets the need in full; any takes a counter-offer too.",
            completer=completers.among("best", "any"),
        ),
    ] = "",
    wait: Annotated[bool, Parameter(help="Wait for the answer, and for the contract where one is accepted.")] = True,
    timeout: Annotated[str, Parameter(help="How long to wait, trials included.")] = "15m",
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """State a need: it is measured where nobody knows yet, and answered with offers that are held.

    Exits 0 for offers in full (with --accept, for a contract), 6 for counter-offers, 5 for a refusal.
    """
    as_json = check_output(output)
    if accept not in ACCEPTS:
        raise failures.usage(f"--accept {accept!r} is not known", "write --accept best or --accept any")
    patience = seconds_of(timeout)
    manifest = read_one(filename, "Workload")
    with open_door(reach) as door:
        stated = state(door, manifest, reach)
        if not wait:
            _say_stated(stated, as_json)
            return exit_codes.YES
        with waiting(f"workload {stated.name}", quiet=as_json) as told:
            answered = door.client.wait_answered(stated, timeout_seconds=patience, progress=told)
        assert answered.status is not None, "answered"
        contract = _contract(door, answered, accept, patience, as_json)
        expires = expiry_of(door.client, answered)
    answer = answered.status.answer
    if as_json:
        made = contract.to_json() if contract else None
        about = {"workload": answered.name, "namespace": answered.namespace, "contract": made}
        screen.say_as("Requested", answer_json(answer, **about))
    elif contract is not None:
        say_contract(contract)
        say_checkpoint(contract)
    elif answer is not None:
        say_answer(answer, held=True, expires_ms=expires)
    return exit_codes.YES if contract is not None else ANSWER_CODES[answer.kind] if answer else exit_codes.YES


def state(door: Door, manifest: Manifest, reach: Reach, annotations: Mapping[str, str] | None = None) -> Workload:
    """Apply the Workload of a manifest, as `tenure apply` does, so that both go on from each other."""
    namespace = manifest.namespace(door.namespace, reach.namespace)
    applied = apply_one(door, manifest, namespace, annotations=annotations)
    return decode(Workload, applied.content)


def _say_stated(stated: Workload, as_json: bool) -> None:
    if as_json:
        screen.say_as("Requested", answer_json(None, workload=stated.name, namespace=stated.namespace))
    else:
        screen.say(typed(f"workload {stated.name} is stated; `tenure why {stated.name}` shows its answer"))


def _contract(door: Door, workload: Workload, accept: str, patience: float, as_json: bool) -> Contract | None:
    """The contract that stands, or that the acceptance asked for makes; None where there is none."""
    assert workload.status is not None, "answered"
    with waiting("contract", quiet=as_json) as told:
        if workload.status.contract and workload.status.phase in ("Contracted", "Running"):
            standing = door.client.get(Contract, workload.status.contract, namespace=workload.namespace)
            return door.client.wait_active(standing, timeout_seconds=patience, progress=told)
        offer = _chosen(workload.status.answer, accept)
        if offer is None:
            return None
        return door.client.accept(offer, namespace=workload.namespace, timeout_seconds=patience, progress=told)


def _chosen(answer: Answer | None, accept: str) -> str | None:
    if answer is None or not accept or not answer.quotes:
        return None
    best = answer.quotes[0]
    return best.offer if best.meets_in_full or accept == "any" else None
