"""`tenure status`: what holds, promised beside measured. Exits 1 on a breach, 7 where nobody can say.

What holds in other namespaces is counted too, in a line and in the exit code: a host with a breach is never all right.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from rich.text import Text

from tenure.cli import exit_codes, screen
from tenure.cli.answer import BAD, QUIET
from tenure.cli.contract_view import VERDICTS, measured_text, progress_text, ready_reason, views_text
from tenure.cli.door import Door, open_door, readable
from tenure.cli.options import HERE, AllNamespaces, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.cli.tables import WordTable
from tenure.cli.typed import typed
from tenure.cli.words import counted, duration_text, instant_text, metric_text, promise_text
from tenure.client import ApiError, Forbidden, ObjectList, Refusing, home_directory
from tenure.client.calls import Call
from tenure.controllers.contract.deadline import COMPLETED_IN_TIME
from tenure.controllers.contract.progress import deadline_ms
from tenure.promises import COMPLETION, DeadlineReason, period_ms_of
from tenure.quantities import SystemClock
from tenure.resources import Contract, Offer, Site, Workload, condition_of
from tenure.resources.freshness import REASON as NOT_OBSERVED

LIVE = ("Commissioning", "Active", "Ending")


def status(*, all_namespaces: AllNamespaces = False, output: Output = "text", reach: Reach = HERE) -> int:
    """Show what holds: every contract with what it promises beside what was measured last.

    Exits 1 when any contract of the host is breached, 7 when any cannot be judged; those of other namespaces are
    counted in a line, and shown with -A.
    """
    as_json = check_output(output)
    with open_door(reach) as door:
        namespace = None if all_namespaces else door.namespace
        listed = _everywhere(door, Contract, namespace)
        contracts = readable(listed)
        offers = readable(door.client.list(Offer, namespace=namespace))
        sites = readable(door.client.list(Site))
        workloads = readable(_everywhere(door, Workload, namespace))
        refused = _writes_refused(door)
    now_ms = SystemClock().now_ms()
    every = [
        c
        for c in contracts
        if c.status is not None and (c.status.phase in LIVE or _missed(c, workloads) or breached_lately(c, now_ms))
    ]
    live = [c for c in every if namespace in (None, c.namespace)]
    elsewhere = [c for c in every if namespace not in (None, c.namespace)]
    held = [o for o in offers if o.status is not None and o.status.phase == "Held" and o.spec.purpose == "Offer"]
    code = exit_code_of(every)
    if (refused or listed.unreadable) and code == exit_codes.YES:
        # Nothing that was judged since could be written down, or stated; or what is promised cannot be read.
        code = exit_codes.UNVERIFIABLE
    if as_json:
        screen.say_as("StatusReport", _json(live, held, sites, code) | {"elsewhere": _elsewhere(elsewhere)})
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
    if elsewhere:
        told = _elsewhere(elsewhere)
        said = (
            f"{counted(len(elsewhere), 'contract')} in other namespaces, together {told['verdict']}: tenure status -A"
        )
        console.print(typed(said), style=VERDICTS[str(told["verdict"])])
    if held:
        console.print(typed(f"{counted(len(held), 'held offer')} to choose from: tenure get offers"), style=QUIET)
    if refused:
        console.print(f"nothing newer than this can be said: {refused}", style=BAD)
    console.print(f"state is in {home_directory()}", style=QUIET)
    return code


T = TypeVar("T", Contract, Workload)


def _everywhere(door: Door, model: type[T], namespace: str | None) -> ObjectList[T]:
    """Those of all namespaces; of this one alone where whoever asks may not look further."""
    try:
        return door.client.list(model)
    except Forbidden:
        if namespace is None:
            raise
        return door.client.list(model, namespace=namespace)


def _elsewhere(contracts: list[Contract]) -> dict[str, Any]:
    """How many there are, and the worst that is said of any."""
    return {"contracts": len(contracts), "verdict": verdict_of(exit_code_of(contracts)) if contracts else None}


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
    """1 when any contract is breached, also one that is ending, or is over and still counts (all that are given here
    do); 7 when any cannot be judged, one that is ending among them, or was not looked at lately; else 0."""
    if any(c.status is not None and c.status.verdict == "Breached" for c in contracts):
        return exit_codes.NO
    judged = [c for c in contracts if c.status is not None and c.status.phase in ("Active", "Ending", "Ended")]
    unsaid = any(c.status is not None and c.status.verdict != "Kept" for c in judged)
    unseen = any(ready_reason(c) == NOT_OBSERVED for c in judged)
    return exit_codes.UNVERIFIABLE if unsaid or unseen else exit_codes.YES


def verdict_of(code: int) -> str:
    """What an exit code says in a word."""
    return {exit_codes.YES: "Kept", exit_codes.NO: "Breached"}.get(code, "Unverifiable")


def breached_lately(contract: Contract, now_ms: int) -> bool:
    """Whether it ended breached, no longer ago than its accounting period is long: until then its breach counts."""
    status, term = contract.status, contract.spec.term
    if status is None or status.phase != "Ended" or status.verdict != "Breached" or status.ended_at is None:
        return False
    return now_ms - int(status.ended_at) <= period_ms_of(int(term.end) - int(term.start))


def _missed(contract: Contract, workloads: Sequence[Workload]) -> bool:
    """Whether it is over, its work was not done by its deadline, and its need is still there and has no other: as long
    as nobody asks for more, that is how it stands."""
    status = contract.status
    if status is None or status.phase != "Ended" or contract.spec.promises.complete_by is None:
        return False
    said = condition_of(status.conditions, COMPLETED_IN_TIME)
    if said is None or said.status == "True" or said.reason == DeadlineReason.CUT_BY_END:
        return False
    return any(
        w.uid == contract.spec.workload.uid and w.status and w.status.contract == contract.name for w in workloads
    )


def _site(site: Site) -> Text:
    place = f"{site.spec.location.country}" if site.spec.location else "place unknown"
    observed = site.status
    text = Text(f"site {site.name}", style="bold").append(f"  {place}", style=QUIET)
    if observed is not None and observed.cores is not None:
        text.append(f"  {observed.cores_held or 0} of {observed.cores} cores held")
        text.append(f"  {observed.gpus_held or 0} of {observed.gpus} GPUs held" if observed.gpus else "")
        text.append(f"  ledger generation {observed.ledger.generation}", style=QUIET)
    return text


def _table(contracts: list[Contract], now_ms: int) -> WordTable:
    rows: list[tuple[str | Text, ...]] = []
    for contract in contracts:
        assert contract.status is not None, "live contracts have been observed"
        promises = contract.spec.promises.statistical
        promised = [f"{metric_text(p.metric)} {promise_text(p)}" for p in promises]
        measured = [measured_text(contract, p.metric, p.percentile) or "unknown" for p in promises]
        if contract.status.progress is not None or contract.spec.promises.complete_by is not None:
            promised.append(_due(contract, now_ms))
            progress = contract.status.progress
            measured.append(progress_text(progress, now_ms) if progress is not None else "unknown")
        verdict = contract.status.verdict
        said = Text(verdict or ready_reason(contract) or "none yet", style=VERDICTS.get(verdict or "", QUIET))
        ended = contract.status.ended_at
        left = duration_text(int(contract.spec.term.end) - now_ms) if ended is None else _ended(int(ended), now_ms)
        # A row each, so that where words wrap the figures stay beside their promises.
        first, *more = zip(promised, measured, strict=True) if promised else [("", "")]
        rows.append((contract.name, contract.status.phase, said, *first, left))
        for line in more:
            rows.append(("", "", "", *line, ""))
    return WordTable(("contract", "phase", "verdict", "promised", "measured", "ends in"), rows)


def _ended(at_ms: int, now_ms: int) -> str:
    return f"ended {duration_text(now_ms - at_ms)} ago"


def _due(contract: Contract, now_ms: int) -> str:
    """By when its work is to be done; watched and forecast where that is not promised."""
    by_ms = deadline_ms(contract)
    if by_ms is None:
        return "no deadline"
    promised = contract.spec.promises.complete_by is not None
    return f"done by {instant_text(by_ms, now_ms)}" + ("" if promised else " (watched)")


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
        if contract.spec.promises.complete_by is not None:
            progress = contract.status.progress
            done = progress_text(progress, SystemClock().now_ms()) if progress is not None else None
            by = f"by {contract.spec.promises.complete_by}"
            promises.append({"metric": COMPLETION, "percentile": None, "promised": by, "measured": done})
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
    return {
        "verdict": verdict_of(code),
        "contracts": items,
        "offersHeld": len(held),
        "sites": [site.name for site in sites],
    }
