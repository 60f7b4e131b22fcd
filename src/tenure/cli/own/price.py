"""`tenure price`: what a machine costs an hour, declared; what is not declared stays unknown."""

from typing import Annotated

from cyclopts import App, Parameter

from tenure.cli import completers, failures, screen
from tenure.cli.door import open_door, readable
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.quantities import Money, QuantityError
from tenure.resources import Machine

MachineName = Annotated[str, Parameter(completer=completers.machines)]
app = App(name="price", help="What machines cost an hour, as declared.", help_format="plaintext")


@app.command(name="set")
def set_price(
    machine: Annotated[str, Parameter(completer=completers.machines)],
    amount: str,
    *,
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Declare what a machine costs an hour; offers made from now on are priced by it.

    Parameters
    ----------
    machine
        The machine.
    amount
        Such as "0.12 EUR"; none takes the declaration back.
    """
    as_json = check_output(output)
    try:
        price = None if amount == "none" else Money.parse(amount)
    except QuantityError as error:
        raise failures.usage(str(error), f'tenure price set {machine} "0.12 EUR"', "InvalidQuantity") from None
    change = {"spec": {"hourlyCost": str(price) if price else None}}
    with open_door(reach) as door:
        changed = door.client.patch(Machine, machine, change)
    if as_json:
        screen.say_as("Price", _json(changed))
    else:
        screen.say(f"machine {machine} costs {f'{price} an hour' if price else 'what nobody knows'}")


@app.command
def show(*, output: Output = "text", reach: Reach = HERE) -> None:
    """Show what each machine costs an hour."""
    as_json = check_output(output)
    with open_door(reach) as door:
        machines = readable(door.client.list(Machine))
    if as_json:
        screen.say_as("Prices", {"items": [_json(machine) for machine in machines]})
        return
    rows = [(m.name, m.spec.site, str(m.spec.hourly_cost) if m.spec.hourly_cost else "unknown") for m in machines]
    screen.say_table(("Machine", "Site", "An hour"), rows)


def _json(machine: Machine) -> dict[str, str | None]:
    cost = str(machine.spec.hourly_cost) if machine.spec.hourly_cost else None
    return {"machine": machine.name, "hourlyCost": cost}
