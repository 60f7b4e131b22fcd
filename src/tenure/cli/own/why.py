"""`tenure why`: the answer, the verdict or the phase of anything, with the facts it rests on."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.text import Text

from tenure.cli import completers, exit_codes, failures, screen
from tenure.cli.answer import answer_view, quote_card
from tenure.cli.contract_view import condition_line, contract_view, verdict_view
from tenure.cli.door import Door, open_door
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.own.outcome import check_output, quote_of
from tenure.cli.targets import the_kind
from tenure.cli.typed import typed
from tenure.cli.verbs.events import event_rows, events_about
from tenure.cli.words import when_text
from tenure.client import Unreadable
from tenure.client.calls import decode
from tenure.quantities import SystemClock
from tenure.resources import ApiObject, Contract, Inquiry, Kind, Offer, Workload, kind_of
from tenure.resources.kinds.answer import Unkept

# In this order, because a contract has the name of its offer, and people mean the later of the two.
EXPLAINED: tuple[type[ApiObject], ...] = (Workload, Contract, Offer, Inquiry)
EVENTS_SHOWN = 8


def why(
    name: Annotated[str, Parameter(completer=completers.decided)], *, output: Output = "text", reach: Reach = HERE
) -> int:
    """Say why something is as it is: what binds, with its numbers; what each constraint removed; what to do next.

    Parameters
    ----------
    name
        A workload, contract, offer or inquiry: NAME or KIND/NAME.
    """
    as_json = check_output(output)
    with open_door(reach) as door:
        content = _found(door, name)
        model = next(m for m in EXPLAINED if kind_of(m).kind == content["kind"])
        obj = decode(model, content)  # what this version refuses has none of the fields that are looked for below
        unmet = _unmet(door, content)
        events = events_about(door, content)
    if as_json:
        screen.say_as("Why", _json(content, events))
    else:
        console = screen.console(markup=False)
        console.print(_view(obj, SystemClock().now_ms(), unmet))
        for row in event_rows(events)[-EVENTS_SHOWN:]:
            console.print(Text(f"{row[0]:>6} ago  {row[2]}  {row[4]}", style="bright_black"))
    return exit_codes.YES


def _found(door: Door, name: str) -> dict[str, Any]:
    word, slash, rest = name.partition("/")
    kinds = [kind_of(model) for model in EXPLAINED]
    if slash:
        kind = the_kind(word)
        if kind not in kinds:
            known = ", ".join(k.singular for k in kinds)
            raise failures.usage(f"nothing is decided about a {kind.singular}", f"name a {known}")
        kinds, name = [kind], rest
    for kind in kinds:
        content = door.find(kind, name)
        if content is not None:
            return content
    raise failures.not_found(f"no {_named(kinds)} is named {name} in {door.namespace}", "`tenure get all`")


def _named(kinds: list[Kind]) -> str:
    return ", ".join(kind.singular for kind in kinds)


def _unmet(door: Door, content: dict[str, Any]) -> list[Unkept]:
    """Preferences that the offer of a contract did not keep, as the answer of its need still has them."""
    if content["kind"] != kind_of(Contract).kind:
        return []
    spec = content["spec"]
    asked = door.find(kind_of(Workload), spec["workload"]["name"])
    try:
        status = decode(Workload, asked).status if asked is not None else None
    except Unreadable:  # its need is named by `why` of it; what the contract itself says is read all the same
        return []
    quotes = status.answer.quotes if status is not None and status.answer is not None else []
    return [one for q in quotes if q.offer == spec["offer"] and q.chosen is not None for one in q.chosen.unmet]


def _view(obj: ApiObject, now_ms: int, unmet: Sequence[Unkept]) -> RenderableType:
    match obj:
        case Workload():
            return _workload(obj, now_ms)
        case Inquiry():
            answer = obj.status.answer if obj.status else None
            conditions = [condition_line(c) for c in obj.status.conditions] if obj.status else []
            said = answer_view(answer, now_ms=now_ms, held=False) if answer else Text("not answered yet")
            return Group(*conditions, said)
        case Offer():
            return _offer(obj, now_ms)
        case Contract():
            return Group(contract_view(obj, now_ms=now_ms, unmet=unmet), verdict_view(obj))
    raise AssertionError("only these kinds are looked up")


def _workload(workload: Workload, now_ms: int) -> RenderableType:
    status = workload.status
    if status is None:
        return Text(typed("nobody has looked at it yet: are the controllers running? `tenure doctor`"), style="yellow")
    parts: list[RenderableType] = [Text(f"workload {workload.name}: {status.phase}", style="bold")]
    if status.trial_progress:
        parts.append(Text(status.trial_progress))
    if status.contract:
        said = f"contract {status.contract}: `tenure why contract/{status.contract}` says how it is kept"
        parts.append(Text(typed(said)))
    parts += [condition_line(condition) for condition in status.conditions]
    if status.answer is not None:
        held = any(quote.offer for quote in status.answer.quotes)
        parts.append(answer_view(status.answer, now_ms=now_ms, held=held))
    return Group(*parts)


def _offer(offer: Offer, now_ms: int) -> RenderableType:
    spec = offer.spec
    phase = offer.status.phase if offer.status else "Proposed"
    expires = when_text(int(spec.expires_at), now_ms)
    head = Text(f"offer {offer.name} of workload {spec.workload.name}: {phase}, held until {expires}", style="bold")
    conditions = [condition_line(c) for c in offer.status.conditions] if offer.status else []
    return Group(head, *conditions, quote_card(quote_of(offer), now_ms=now_ms))


def _json(content: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    status = content.get("status") or {}
    judged = ("verdict", "accounting", "windows", "commissioning")
    came_of_it = ("remedies", "reserve", "credit", "progress", "trialProgress")
    facts = ("phase", "answer", "conditions", *judged, *came_of_it)
    about = {"kind": content["kind"], "name": content["metadata"]["name"]}
    told = [{"reason": e.get("reason"), "message": e.get("message"), "type": e.get("type")} for e in events]
    return {"of": about, **{f: status[f] for f in facts if f in status}, "events": told}
