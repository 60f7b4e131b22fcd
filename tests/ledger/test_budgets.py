"""The recount of budgets: what a rack is given, and what is promised of it, added up by nobody's code but its own."""

from tenure.ledger.records import Record, record_of_offer
from tenure.ledger.recount import recount
from tenure.ledger.recount_budgets import Limit
from tenure.resources.kinds.allocation import BudgetDraw, Hold
from tenure.resources.kinds.site import LedgerStatus
from tests.ledger.builders import capacity, hold, offer


def held(*holds: Hold) -> list[Record]:
    records = []
    for number, one in enumerate(holds):
        made = offer(f"o{number}", "w", one)
        metadata = made.metadata.model_copy(update={"uid": f"uid-{number}"})
        record = record_of_offer(made.model_copy(update={"metadata": metadata}))
        records.append(Record(**{**{n: getattr(record, n) for n in record.__slots__}, "phase": "Held"}))
    return records


def found(watts: int, *holds: Hold) -> list[tuple[str, str]]:
    limit = Limit("cooling:rack-7", watts, frozenset({"m"}), unit="mW", by_core={"m": 10})
    told = recount(LedgerStatus(), held(*holds), [capacity(8)], None, 0, [limit])
    return [(finding.code, finding.subject) for finding in told]


BOTH = (hold("a", "", [0, 1]), hold("b", "", [2, 3]))


def test_a_budget_that_is_kept_is_no_finding() -> None:
    assert found(40, *BOTH) == []


def test_twin_one_milliwatt_less_and_it_is_overbooked() -> None:
    assert found(39, *BOTH) == [("BudgetOverbooked", "budget/cooling:rack-7")]


def test_of_alternatives_the_greatest_counts() -> None:
    assert found(30, hold("a", "g", [0, 1]), hold("b", "g", [2, 3, 4])) == []
    assert found(29, hold("a", "g", [0, 1]), hold("b", "g", [2, 3, 4])) != []


def test_holds_one_after_another_do_not_add_up() -> None:
    assert found(20, hold("a", "", [0, 1], 0, 100), hold("b", "", [2, 3], 100, 200)) == []


def test_what_machines_take_by_themselves_may_be_too_much_already() -> None:
    told = recount(LedgerStatus(), [], [], None, 0, [Limit("weight:r", 100, frozenset({"m"}), base=101, unit="kg")])
    assert [(finding.code, finding.message) for finding in told] == [
        ("BudgetOverbooked", "101 of 100 kg are taken by the machines themselves")
    ]


def licensed(id: str, amount: int) -> Hold:
    one = hold(id, "", [int(id)])
    drawn = one.claims[0].model_copy(update={"draws": [BudgetDraw(budget="licence:solver", amount=amount)]})
    return one.model_copy(update={"claims": [drawn]})


def test_what_holds_draw_by_their_own_word_is_added_up_too() -> None:
    both = held(licensed("0", 2), licensed("1", 3))

    def told(limit: int) -> list[str]:
        seats = Limit("licence:solver", limit, frozenset({"m"}), unit="seats", name="licence:solver")
        return [f.subject for f in recount(LedgerStatus(), both, [capacity(8)], None, 0, [seats])]

    assert told(5) == []
    assert told(4) == ["budget/licence:solver"]
