"""`tenure status`: what holds, promised beside measured. Exits 1 on a breach, 7 where nobody can say."""

from typing import Any

from rich.text import Text

from tenure.cli import exit_codes, screen
from tenure.cli.answer import BAD, QUIET
from tenure.cli.contract_view import VERDICTS, measured_text, progress_text, ready_reason, views_text
from tenure.cli.door import Door, open_door
from tenure.cli.options import HERE, AllNamespaces, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.cli.tables import WordTable
from tenure.cli.words import counted, duration_text, instant_text, metric_text, promise_text
from tenure.client import ApiError, Refusing, home_directory
from tenure.client.calls import Call
from tenure.controllers.contract.progress import deadline_ms
from tenure.quantities import SystemClock
from tenure.resources import Contract, Offer, Site

LIVE = ("Commissioning", "Active", "Ending")


def status(*, all_namespaces: AllNamespaces = False, output: Output = "text", reach: Reach = HERE) -> int:
    """Show what holds: every contract with what it promises beside what was measured last."""
    as_json = check_output(output)
    with open_door(reach) as door:
        namespace = None if all_namespaces else door.namespace
        contracts = door.client.list(Contract, namespace=namespace).items
        offers = door.client.list(Offer, namespace=namespace).items
        sites = door.client.list(Site).items
        refused = _writes_refused(door)
    live = [c for c in contracts if c.status is not None and c.status.phase in LIVE]
    held = [o for o in offers if o.status is not None and o.status.phase == "Held" and o.spec.purpose == "Offer"]
    code = exit_code_of(live)
    if refused and code == exit_codes.YES:
        code = exit_codes.UNVERIFIABLE  # nothing that was judged since could be written down, or stated
    if as_json:
        screen.say_as("StatusReport", _json(live, held, sites, code))
        return code
    console = screen.console(markup=False)
    for site in sites:
        console.print(_site(site))
    if live:
        console.print(_table(live, SystemClock().now_ms()))
        for contract in (c for c in live if c.spec.promises.views and c.status and c.status.windows):
            console.print(f"{contract.name} is seen by {views_text(contract)}", style=QUIET)
        for contract in live:
            if contract.status is not None and contract.status.credit is not None:
                console.print(f"{contract.name}: credit {contract.status.credit}", style=BAD)
    else:
        console.print("No contract holds here." + (" -A looks everywhere." if not all_namespaces else ""))
    if held:
        console.print(f"{counted(len(held), 'held offer')} to choose from: tenure get offers", style=QUIET)
    if refused:
        console.print(f"nothing newer than this can be said: {refused}", style=BAD)
    console.print(f"state is in {home_directory()}", style=QUIET)
    return code


def _writes_refused(door: Door) -> str:
    """Why the host takes no writes; empty where it does, and where a host of another make does not say."""
    try:
        door.send(Call("GET", "/readyz"))
    except Refusing as error:
        return str(error)
    except ApiError:
        return ""
    return ""


def exit_code_of(contracts: list[Contract]) -> int:
    """1 when any active contract is breached, 7 when any cannot be judged, else 0."""
    verdicts = [c.status.verdict for c in contracts if c.status is not None and c.status.phase == "Active"]
    if "Breached" in verdicts:
        return exit_codes.NO
    return exit_codes.UNVERIFIABLE if any(v != "Kept" for v in verdicts) else exit_codes.YES


def _site(site: Site) -> Text:
    place = f"{site.spec.location.country}" if site.spec.location else "place unknown"
    observed = site.status
    text = Text(f"site {site.name}", style="bold").append(f"  {place}", style=QUIET)
    if observed is not None and observed.cores is not None:
        text.append(f"  {observed.cores_held or 0} of {observed.cores} cores held now")
        text.append(f"  ledger generation {observed.ledger.generation}", style=QUIET)
    return text


def _table(contracts: list[Contract], now_ms: int) -> WordTable:
    rows: list[tuple[str | Text, ...]] = []
    for contract in contracts:
        assert contract.status is not None, "live contracts have been observed"
        promises = contract.spec.promises.statistical
        promised = [f"{metric_text(p.metric)} {promise_text(p)}" for p in promises]
        measured = [measured_text(contract, p.metric, p.percentile) or "unknown" for p in promises]
        if contract.status.progress is not None:
            promised.append(_due(contract, now_ms))
            measured.append(progress_text(contract.status.progress, now_ms))
        verdict = contract.status.verdict
        said = Text(verdict or ready_reason(contract) or "none yet", style=VERDICTS.get(verdict or "", QUIET))
        left = duration_text(int(contract.spec.term.end) - now_ms)
        # A row each, so that where words wrap the figures stay beside their promises.
        first, *more = zip(promised, measured, strict=True) if promised else [("", "")]
        rows.append((contract.name, contract.status.phase, said, *first, left))
        for line in more:
            rows.append(("", "", "", *line, ""))
    return WordTable(("contract", "phase", "verdict", "promised", "measured", "ends in"), rows)


def _due(contract: Contract, now_ms: int) -> str:
    """By when its work is to be done: watched and forecast, not promised."""
    by_ms = deadline_ms(contract)
    return "no deadline" if by_ms is None else f"due {instant_text(by_ms, now_ms)} (watched)"


def _json(live: list[Contract], held: list[Offer], sites: list[Site], code: int) -> dict[str, Any]:
    items = []
    for contract in live:
        assert contract.status is not None, "live contracts have been observed"
        promises = [
            {
                "metric": p.metric,
                "percentile": p.percentile,
                "promised": promise_text(p),
                "measured": measured_text(contract, p.metric, p.percentile) or None,
            }
            for p in contract.spec.promises.statistical
        ]
        items.append(
            {
                "name": contract.name,
                "namespace": contract.namespace,
                "phase": contract.status.phase,
                "verdict": contract.status.verdict,
                "endpoint": contract.status.endpoint,
                "credit": contract.status.credit.to_json() if contract.status.credit else None,
                "ends": contract.to_json()["spec"]["term"]["end"],
                "promises": promises,
            }
        )
    verdict = {0: "Kept", 1: "Breached"}.get(code, "Unverifiable")
    return {
        "verdict": verdict,
        "contracts": items,
        "offersHeld": len(held),
        "sites": [site.name for site in sites],
    }
