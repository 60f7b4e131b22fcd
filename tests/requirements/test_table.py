"""`make requirements` calls a demand proven only where each of its tests ran and passed, just now."""

from pathlib import Path

import pytest

from tests.requirements.proof import Proof, run
from tests.requirements.rows import row
from tests.requirements.table import table

PASSES = "def test_it_holds(record_property): record_property('note', '1 of 3 repeats failed')\n"
SKIPS = "import pytest\ndef test_twin(): pytest.skip('the model is not here')\n"


@pytest.mark.parametrize(
    ("tests", "verdict", "why"),
    [(PASSES + SKIPS, "not shown here", "the model is not here"), (SKIPS + "import no_such_package\n", "FAILED", "")],
    ids=["the twin is skipped", "none can be read"],
)
def test_a_file_shows_a_demand_when_each_of_its_tests_ran(tmp_path: Path, tests: str, verdict: str, why: str) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:schemathesis -p no:hypothesispytest -p no:anyio\n")
    file = tmp_path / "test_proof.py"
    file.write_text(tests)
    proof = run(file)
    assert (proof.verdict, proof.why_not) == (verdict, why), proof.output
    assert proof.notes == (("1 of 3 repeats failed",) if verdict != "FAILED" else ())


@pytest.mark.parametrize(
    ("proof", "verdict"),
    [
        (Proof(2, (), 0), "shown"),
        (Proof(0, ("no model",), 0), "not shown here"),
        (Proof(1, ("no model",), 1), "FAILED"),
        (Proof(0, (), 0), "FAILED"),
    ],
    ids=["all pass", "all is skipped", "one fails", "no test"],
)
def test_a_skipped_test_excuses_no_failure_and_no_test_proves_nothing(proof: Proof, verdict: str) -> None:
    assert proof.verdict == verdict


ROWS = (
    row("A1", "One", "proven", test="a.py"),
    row("A2", "Two", "partly", test="b.py", missing="half"),
    row("A3", "Three"),
)


def test_a_row_that_could_not_be_shown_says_why_and_is_counted_apart() -> None:
    lines = table(ROWS, {"a.py": Proof(1, ("no second core",), 0), "b.py": Proof(2, (), 0)})
    assert lines[0] == "A1   not shown here One  (proven elsewhere, here: no second core)"
    assert lines[1] == "A2   partly         Two  (missing: half)"
    assert lines[-2:] == ["0 of 3 demands proven just now, 1 not shown here.", "1 passed, 0 failed, 1 not shown here"]


def test_twin_what_failed_is_neither_proven_nor_excused() -> None:
    lines = table(ROWS, {"a.py": Proof(1, ("no second core",), 1), "b.py": Proof(2, (), 0)})
    assert lines[0] == "A1   FAILED         One"
    assert lines[-2:] == ["0 of 3 demands proven just now, 0 not shown here.", "1 passed, 1 failed"]


def test_a_row_of_several_files_is_proven_by_all_of_them() -> None:
    rows = (row("A1", "One", "proven", test="a.py b.py"),)
    good = Proof(2, (), 0)
    assert table(rows, {"a.py": good, "b.py": good})[0] == "A1   proven         One"
    assert table(rows, {"a.py": good, "b.py": Proof(0, (), 0)})[0] == "A1   FAILED         One"
    here = table(rows, {"a.py": Proof(1, ("no model",), 0), "b.py": good})
    assert here[0] == "A1   not shown here One  (proven elsewhere, here: no model)"


def test_what_has_just_passed_is_proven() -> None:
    lines = table(ROWS, {"a.py": Proof(2, (), 0), "b.py": Proof(2, (), 0)})
    assert lines[-2:] == ["1 of 3 demands proven just now, 0 not shown here.", "2 passed, 0 failed"]
