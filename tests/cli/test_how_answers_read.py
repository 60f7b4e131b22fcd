"""Answers and contracts on the screen, held still: what a person sees is reviewed here."""

import pytest
from inline_snapshot import snapshot
from rich.console import Console, RenderableType

from tenure.cli.answer import answer_view
from tenure.cli.contract_view import contract_view, verdict_view
from tenure.cli.ledger import tell
from tenure.resources.kinds.answer import Answer
from tenure.resources.kinds.site import LedgerStatus
from tests.cli import answers
from tests.cli.answers import NOW_MS


def shown(view: RenderableType) -> str:
    console = Console(
        width=100, color_system=None, force_terminal=False, highlight=False, markup=False, emoji=False, quiet=True
    )
    with console.capture() as capture:
        console.quiet = False
        console.print(view)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_offers_in_full() -> None:
    view = answer_view(answers.offers(), now_ms=NOW_MS, held=True, expires_ms=NOW_MS + 600_000)
    assert shown(view) == snapshot("""\
✔ 2 offers that meet the need in full, held until 09:10:00 UTC (in 10 min)
╭─  1  chat-3f2a1c  meets the need in full  ───────────────────────────────────────────────────────╮
│ promises  time to first token  p95 ≤ 1s    the evidence carries 423ms                            │
│           inter-token latency  p95 ≤ 60ms  the evidence carries 31ms                             │
│           in windows of 10s, in at least 90 % of them, with confidence 0.9                       │
│ under     0.25 requests/s, 50 tokens in, 40 out                                                  │
│ evidence  measured here: 240 samples in 24 windows, by windows, neighbours busy                  │
│ holds     1 core, 512Mi of memory on laptop                                                      │
│ shape     1 thread × 2 slots on llamacpp 2026.10                                                 │
│ term      now for 30 d                                                                           │
│ price     0.03 EUR an hour, 21.60 EUR in all                                                     │
│ power     unknown: laptop is a virtual machine (KVM), which does not see its power               │
╰────────────────────────────────────────────────────────────────────  tenure accept chat-3f2a1c  ─╯
 or            promises   shape   cores   starts   an hour
────────────────────────────────────────────────────────────
 chat-77b0de   as 1       2 × 4       2   now      0.06 EUR
assumed: assurance.window 60s\
""")


def test_counter_offers_say_what_binds_and_what_each_gives_up() -> None:
    assert shown(answer_view(answers.counter_offers(), now_ms=NOW_MS, held=True)) == snapshot("""\
◐ Not as asked; 2 counter-offers
binding     cores: 4 cores needed, 1 available, 3 in all
            cores, imposed by holds
frees       09:10:00 UTC (in 10 min)
candidates  load                ███████████████░░░░░ 9 −3
            shapes
            objectives.ttft.p95 ███░░░░░░░░░░░░      2 −7
            cores               ████████████████████ 1
            capacity
            cores               ░░░░░░░░░░░░░░░░░░░░ 0 −1
            free
conflict    cores + holds   without any one of them, it fits
╭─  1  big-1  counter-offer  ──────────────────────────────────────────────────────────────────────╮
│ gives up  less: load.requestsPerSecond 8 → 3                                                     │
│ promises  time to first token  p95 ≤ 1s    the evidence carries 423ms                            │
│           inter-token latency  p95 ≤ 60ms  the evidence carries 31ms                             │
│           in windows of 10s, in at least 90 % of them, with confidence 0.9                       │
│ under     0.25 requests/s, 50 tokens in, 40 out                                                  │
│ evidence  measured here: 240 samples in 24 windows, by windows, neighbours busy                  │
│ holds     1 core, 512Mi of memory on laptop                                                      │
│ shape     1 thread × 2 slots on llamacpp 2026.10                                                 │
│ term      now for 30 d                                                                           │
│ price     0.03 EUR an hour, 21.60 EUR in all                                                     │
│ power     unknown: laptop is a virtual machine (KVM), which does not see its power               │
╰──────────────────────────────────────────────────────────────────────────  tenure accept big-1  ─╯
 or      gives up                    promises   shape   cores   starts                     an hour
────────────────────────────────────────────────────────────────────────────────────────────────────
 big-2   later: term.start           as 1       1 × 2       1   09:10:00 UTC (in 10 min)   0.03 EUR
         09:00:00 UTC → 09:10:00
         UTC\
""")


def test_a_refusal_names_the_rule_and_the_command() -> None:
    assert shown(answer_view(answers.refused(), now_ms=NOW_MS, held=True)) == snapshot("""\
✗ Refused
binding   residency: EU permits none of the places that would fit
          residency: EU, imposed by workload policy
conflict  residency: EU   it alone excludes everything
next      tenure site assert local --country CC --by "WHO SAYS SO"\
""")


def test_what_nobody_knows_says_what_a_trial_would_cost() -> None:
    assert shown(answer_view(answers.needs_trial(), now_ms=NOW_MS, held=False)) == snapshot("""\
… Nobody knows yet: it takes a trial
because     2 of 2 shapes were never measured here
a trial of  90s on 1 core: 1 thread × 1 slot, 1 thread × 2 slots
next        tenure request -f FILE   holds what the trial needs\
""")


def test_quotes_say_that_they_hold_nothing() -> None:
    said = answers.answer(quotes=[answers.quote(None, price={"unknownBecause": "nobody has declared it"})])
    text = shown(answer_view(said, now_ms=NOW_MS, held=False))
    assert "they hold nothing" in text
    assert "unknown: nobody has declared it" in text
    assert "tenure accept" not in text


def test_a_bound_that_is_worse_than_asked_says_what_was_asked() -> None:
    slower = answers.promise(bound="2s", asked="1s")
    quote = answers.quote(promises={"load": answers.LOAD, "statistical": [slower]}, meetsInFull=False)
    assert "p95 ≤ 2s  asked 1s" in shown(answer_view(answers.answer(quotes=[quote]), now_ms=NOW_MS, held=True))


def test_a_contract_shows_promised_beside_measured() -> None:
    contract = answers.contract_object("chat-1", "default", "chat", **answers.active_status(verdict="Kept"))
    assert shown(contract_view(contract, now_ms=NOW_MS)) == snapshot("""\
╭─  chat-1 Active Kept  ───────────────────────────────────────────────────────────────────────────╮
│ promises  time to first token  p95 ≤ 1s    the evidence carries 423ms                            │
│           inter-token latency  p95 ≤ 60ms  the evidence carries 31ms                             │
│           in windows of 10s, in at least 90 % of them, with confidence 0.9                       │
│ under     0.25 requests/s, 50 tokens in, 40 out                                                  │
│ evidence  measured here: 240 samples in 24 windows, by windows, neighbours busy                  │
│ measured                           promised  measured  windows within                            │
│           time to first token p95  1s        402ms     4 of 4          ✔ holds                   │
│           inter-token latency p95  60ms      30ms      3 of 4          ✔ holds                   │
│ holds     1 core (3), 512Mi of memory on laptop                                                  │
│ shape     1 thread × 2 slots on llamacpp 2026.10                                                 │
│ term      09:00:00 UTC to 2096-12-31 09:00 UTC, 30 d left                                        │
│ price     0.03 EUR an hour                                                                       │
│ power     12W (rated power by the share of its cores)                                            │
│ enforced  by cgroup-v2   read back from the kernel: 1 of 1 agree                                 │
│ endpoint  http://127.0.0.1:8001/v1                                                               │
╰────────────────────────────────────────────────────────────────────────────  tenure env chat-1  ─╯\
""")


def test_a_simulated_contract_claims_no_kernel_and_its_books_no_engine(capsys: pytest.CaptureFixture[str]) -> None:
    fact = {"what": "engine", "expected": "simulated", "found": "simulated", "source": "simulated", "agrees": True}
    run = {"id": "r", "mechanism": "simulated", "readBack": [fact]}
    contract = answers.contract_object("chat-1", "default", "chat", **answers.active_status(run=run))
    text = shown(contract_view(contract, now_ms=NOW_MS))
    assert "enforced  by nothing: it is simulated, nothing runs that could be read back" in text
    assert "kernel" not in text
    tell(LedgerStatus(generation=2), [], 1, [], simulated=True)
    said = capsys.readouterr().out
    assert "1 run recorded; it is simulated, nothing runs" in said
    assert "found by the engine" not in said


def test_a_verdict_shows_its_windows_and_its_budget() -> None:
    account = {
        "metric": "timeToFirstToken",
        "percentile": "p95",
        "windows": 5,
        "kept": 3,
        "breached": 1,
        "unverifiable": 1,
        "attainment": 0.75,
        "budgetLeft": -0.5,
        "verdict": "Breached",
    }
    verdicts = ["Kept", "Kept", "Breached", "Unverifiable", "Kept"]
    windows = [
        {
            "metric": "timeToFirstToken",
            "percentile": "p95",
            "start": answers.NOW,
            "end": answers.NOW,
            "verdict": verdict,
            "reason": "TooFewSamples" if verdict == "Unverifiable" else verdict,
            "measured": "402ms",
        }
        for verdict in verdicts
    ]
    burning = account | {"burnRateShort": 2.0, "burnRateLong": 0.5}
    burns = answers.active_status(verdict="Breached", accounting=[burning])
    told = shown(verdict_view(answers.contract_object("chat-1", "default", "chat", **burns)))
    assert "time to first token p95: burn rate 2 over 2 windows, 0.5 over 8" in told
    status = answers.active_status(verdict="Breached", accounting=[account], windows=windows)
    assert shown(verdict_view(answers.contract_object("chat-1", "default", "chat", **status))) == snapshot("""\
✔ Ready  Kept  the newest window was kept
promise                  verdict   windows  kept  breached  unverifiable  attained  budget left
time to first token p95  Breached  5        3     1         1             75 %      -0.5 windows
time to first token p95  ■■✗?■  TooFewSamples\
""")


def test_a_preference_that_was_not_kept_is_told_with_what_there_is_instead() -> None:
    unmet = [
        {"preference": "linkBandwidth", "asked": "at least 50GB/s", "found": "10GB/s"},
        {"preference": "spread:rack", "asked": "at most 1 in one rack", "found": "not known"},
        {"preference": "numaDistance", "role": "actors", "asked": "at most 10", "found": "20"},
    ]
    said = Answer.model_validate(
        {"kind": "Offers", "answeredAt": answers.NOW, "quotes": [answers.quote(chosen={"unmet": unmet})]}
    )
    lines = shown(answer_view(said, now_ms=NOW_MS, held=True)).splitlines()
    assert [line.strip("│ ") for line in lines if "not kept" in line] == [
        "not kept  linkBandwidth, which was preferred; asked: at least 50GB/s, found: 10GB/s",
        "not kept  spread:rack, which was preferred; asked: at most 1 in one rack, found: not known",
        "not kept  actors: numaDistance, which was preferred; asked: at most 10, found: 20",
    ]
