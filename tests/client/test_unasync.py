"""The blocking clients are written from the asynchronous ones, never by hand."""

from pathlib import Path

import pytest

from scripts import unasync


@pytest.mark.parametrize(("source", "target"), unasync.PAIRS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_blocking_client_is_what_its_source_makes(source: Path, target: Path) -> None:
    assert target.read_text() == unasync.blocking(source.read_text()), "run `make generate`"


def test_nothing_of_the_event_loop_is_left() -> None:
    for _, target in unasync.PAIRS:
        assert not {"async", "asyncio", "await"} & set(target.read_text().split())


def test_words_that_only_begin_alike_stay() -> None:
    source = 'x = "awaiting"\n\n\nasync def f() -> None:\n    """Asynchronously read(y)."""\n    await g(x)\n'
    assert unasync.blocking(source).endswith(
        'x = "awaiting"\n\n\ndef f() -> None:\n    """Asynchronously read(y)."""\n    g(x)\n'
    )
