"""docs/requirements.md is what the table says, and the table names tests that exist."""

from pathlib import Path

from tests.requirements.rows import ROWS, document, order

HERE = Path(__file__).parent


def test_the_document_is_made_from_the_table() -> None:
    written = (HERE.parents[1] / "docs" / "requirements.md").read_text()
    assert written == document(), "write it anew: python -m tests.requirements.write"


def test_every_proof_exists_and_every_proven_row_has_one() -> None:
    for row in ROWS:
        assert all((HERE / file).is_file() for file in row.tests), row
        assert row.state != "proven" or row.tests, row
        assert row.state != "partly" or row.missing, row


def test_each_demand_is_there_once_in_order() -> None:
    ids = [row.id for row in ROWS]
    assert ids == sorted(set(ids), key=order)
