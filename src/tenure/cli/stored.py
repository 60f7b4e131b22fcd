"""Objects of a home whose control plane does not run, straight from its store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.cli.home_parts import STATE
from tenure.resources import ApiObject, kind_of

if TYPE_CHECKING:
    from tenure.store import Store


@contextmanager
def opened(home: Path) -> "Iterator[Store]":
    """The store of a home. Raises StoreError, also where a control plane has it open."""
    from tenure.server import store_resources
    from tenure.store import Store

    store = Store(home / STATE, store_resources())
    try:
        yield store
    finally:
        store.close()


def stored(store: "Store", model: type[ApiObject]) -> Iterator[dict[str, Any]]:
    """Every object of a kind as it is stored."""
    kind = kind_of(model)
    resource = next(r for r in store.resources.values() if (r.group, r.plural) == (kind.group, kind.plural))
    after = ("", "")
    while True:
        page = store.list(resource, after=after)
        for item in page.items:
            yield item.content
        if not page.more:
            return
        after = (page.items[-1].namespace, page.items[-1].name)
