"""`tenure env`: a contract's endpoint and key as shell variables: eval "$(tenure env CONTRACT)"."""

import shlex
from typing import Annotated

from cyclopts import Parameter

from tenure.cli import failures, screen
from tenure.cli.door import open_door
from tenure.cli.options import HERE, ContractName, Output, Reach
from tenure.cli.verbs.logs import contract_named
from tenure.client.calls import decode
from tenure.resources import Contract


def env(
    name: ContractName,
    *,
    shell: Annotated[str, Parameter(help="bash (zsh, sh too), fish, or dotenv.")] = "bash",
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Print OPENAI_BASE_URL and OPENAI_API_KEY of a contract for the shell: eval "$(tenure env CONTRACT)".

    Parameters
    ----------
    name
        A contract, or the workload that has one.
    """
    with open_door(reach) as door:
        contract = decode(Contract, contract_named(door, name))
        endpoint = door.client.endpoint(contract)
    variables = endpoint.environment()
    if output == "json":
        screen.say_as("Environment", {"contract": contract.name, "model": endpoint.model, "env": variables})
        return
    for key, value in variables.items():
        match shell:
            case "bash" | "zsh" | "sh":
                screen.say(f"export {key}={shlex.quote(value)}")
            case "fish":
                screen.say(f"set -gx {key} {shlex.quote(value)}")
            case "dotenv":
                screen.say(f"{key}={shlex.quote(value)}")
            case other:
                raise failures.usage(f"--shell {other!r} is not known", "one of bash, zsh, sh, fish, dotenv")
