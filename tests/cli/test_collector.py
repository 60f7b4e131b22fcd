"""What has lived for a while is set aside from the collector; what is new is looked at, and now and then everything."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from tenure.cli.collector import keep_collections_short, set_aside


class Circle:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def nothing_set_aside() -> Iterator[None]:
    yield
    gc.unfreeze()


def gone() -> weakref.ref[Circle]:
    return weakref.ref(Circle())


def test_what_lived_is_set_aside_and_what_is_new_is_still_freed() -> None:
    set_aside()
    assert gc.get_freeze_count() > 0
    new = gone()
    gc.collect()
    assert new() is None


def test_what_died_after_it_was_set_aside_is_freed_when_everything_is_looked_at() -> None:
    kept = Circle()
    seen = weakref.ref(kept)
    set_aside()
    del kept
    gc.collect()
    assert seen() is not None
    set_aside(everything=True)
    assert seen() is None


def test_it_goes_on_by_itself() -> None:
    async def rounds() -> None:
        going = asyncio.create_task(keep_collections_short(0))
        while gc.get_freeze_count() == 0:
            await asyncio.sleep(0)
        going.cancel()

    gc.unfreeze()
    asyncio.run(rounds())
