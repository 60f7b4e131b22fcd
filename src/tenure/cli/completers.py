"""What the shell offers after TAB: words, kinds, names of objects that the host has. Silent where no host answers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NAMES_MAX = 500


def among(*words: str) -> Callable[[Any], tuple[str, ...]]:
    """One of these words."""
    return lambda _context: words


def namespaces(context: Any) -> Iterator[str]:
    """Names of namespaces."""
    yield from _names("namespaces", context)


def objects(context: Any) -> Iterator[str]:
    """KIND, then names of that kind; KIND/NAME in one word."""
    from tenure.resources import KINDS

    typed = [str(token.value) for token in context.argument.tokens]
    kind, slash, _ = context.incomplete.partition("/")
    if slash:
        yield from (f"{kind}/{name}" for name in _names(kind, context))
    elif not typed:
        yield from (kind.plural for kind in KINDS)
    elif "/" not in typed[0]:
        yield from _names(typed[0], context)


def offers(context: Any) -> Iterator[str]:
    """Names of offers."""
    yield from _names("offers", context)


def contracts(context: Any) -> Iterator[str]:
    """Names of contracts, and of the workloads that may have one."""
    yield from _names("contracts", context)
    yield from _names("workloads", context)


def decided(context: Any) -> Iterator[str]:
    """Names of everything that Tenure decides about."""
    for kind in ("workloads", "contracts", "offers", "inquiries"):
        yield from _names(kind, context)


def machines(context: Any) -> Iterator[str]:
    """Names of machines."""
    yield from _names("machines", context)


def sites(context: Any) -> Iterator[str]:
    """Names of sites."""
    yield from _names("sites", context)


def models(_: Any) -> Iterator[str]:
    """Names of the models in the catalog."""
    from tenure.catalog import models as catalog

    yield from (model.name for model in catalog())


def fields(context: Any) -> Iterator[str]:
    """Paths of `explain`: KIND, then KIND.field and so on."""
    from tenure.resources import KINDS, kind_named
    from tenure.resources.explain import NoSuchFieldError, explain

    parent, dot, _ = context.incomplete.rpartition(".")
    if not dot:
        yield from (kind.singular for kind in KINDS)
        return
    word, _, path = parent.partition(".")
    kind = kind_named(word)
    if kind is not None:
        try:
            yield from (f"{parent}.{field.name}" for field in explain(kind, path).fields)
        except NoSuchFieldError:
            return


def _names(word: str, context: Any) -> Iterator[str]:
    from tenure.cli.door import open_door
    from tenure.cli.requests import page
    from tenure.client import ApiError
    from tenure.resources import kind_named

    kind = kind_named(word.split(",")[0])
    if kind is None:
        return
    try:
        with open_door(_reach(context)) as door:
            found = door.send(page(kind, door.namespace))["items"][:NAMES_MAX]
    except ApiError:
        return
    yield from (item["metadata"]["name"] for item in found)


def _reach(context: Any) -> Any:
    """The host and namespace that the line names so far."""
    from tenure.cli.options import Reach

    kubeconfig = _option(context, "kubeconfig")
    return Reach(
        namespace=_option(context, "namespace"),
        kubeconfig=Path(kubeconfig) if kubeconfig else None,
        context=_option(context, "context"),
    )


def _option(context: Any, name: str) -> str | None:
    given = context.get(name)
    return given.raw if given is not None else None
