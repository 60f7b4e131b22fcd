"""`tenure accept`: a held offer becomes a contract."""

from typing import Annotated

from cyclopts import Parameter

from tenure.cli import completers, exit_codes, failures, screen
from tenure.cli.door import open_door
from tenure.cli.durations import seconds_of
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.own.outcome import check_output, checkpoint_of, saving_checkpoint, say_checkpoint, say_contract
from tenure.cli.waiting import waiting


def accept(
    offer: Annotated[str, Parameter(completer=completers.offers)],
    *,
    wait: Annotated[bool, Parameter(help="Wait until the contract is commissioned, signed and Active.")] = True,
    timeout: Annotated[str, Parameter(help="How long to wait.")] = "15m",
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """Accept a held offer and wait until its contract is Active. Prints the checkpoint of the evidence: keep it.

    Exits 4 when the offer expired or another was accepted, 1 when commissioning did not hold; fresh offers follow.

    Parameters
    ----------
    offer
        The offer's name, as `tenure get offers` lists it.
    """
    as_json = check_output(output)
    name = offer.removeprefix("offer.tenure.dev/").removeprefix("offer/")
    if not name:
        raise failures.usage("the name of the offer is empty", "`tenure get offers` lists what is held", "InvalidName")
    with open_door(reach) as door, waiting(f"offer {name}", quiet=as_json) as told:
        contract = door.client.accept(
            name, namespace=door.namespace, wait=wait, timeout_seconds=seconds_of(timeout), progress=told
        )
    if as_json:
        note = checkpoint_of(contract)
        kept = {"checkpoint": note, "saveCheckpoint": saving_checkpoint(contract) if note else None}
        screen.say_as("Accepted", {"offer": name, "contract": contract.to_json(), **kept})
    else:
        say_contract(contract)
        say_checkpoint(contract)
    return exit_codes.YES
