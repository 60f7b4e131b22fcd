"""Names of a package that are imported on their first use (PEP 562).

Why: `tenure get` prints what the host sent, and must not wait until every model of every kind is built; a supervisor
that lives for months must not carry them.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of `package`, whose names live in the modules of `homes` (module: names with spaces between).

    It raises AttributeError for any other name, and gives each name once: from then on it is the package's own.
    """
    home_of = {name: module for module, names in homes.items() for name in names.split()}

    def get(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(home_of[name]), name)
        setattr(sys.modules[package], name, found)
        return found

    return get
