"""Names of a package that are imported on their first use (PEP 562).

Why: `tenure get` prints what the host sent, and must not wait until every model of every kind is built; a supervisor
that lives for months must not carry them.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of `package`, whose names live in the modules of `homes` (module: names with spaces
    between).

    The first raises AttributeError for any other name, and gives each name once: from then on it is the package's own.
    The second shows what was not used yet beside what is there, for completion and `help()`.
    """
    home_of = {name: module for module, names in homes.items() for name in names.split()}

    def get(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(home_of[name]), name)
        setattr(sys.modules[package], name, found)
        return found

    def shown() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home_of})

    return get, shown
