"""Packages that import their names on first use show them all the same: in `dir()`, `help()` and completion."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import tenure

ROOT = Path(tenure.__file__).parent
LAZY = sorted(
    ".".join(("tenure", *init.parent.relative_to(ROOT).parts))
    for init in ROOT.rglob("__init__.py")
    if "= lazily(" in init.read_text()
)

SHOWN = """
import importlib, sys
package = importlib.import_module(sys.argv[1])
print(*sorted(set(package.__all__) - set(dir(package))), sep="\\n")
for name in package.__all__:
    assert getattr(package, name) is getattr(package, name), name
assert len(dir(package)) == len(set(dir(package))), "each name once, used or not"
"""


def test_the_packages_that_people_import_are_among_them() -> None:
    assert {"tenure", "tenure.client", "tenure.quantities", "tenure.resources", "tenure.sdk"} <= set(LAZY)


@pytest.mark.parametrize("package", LAZY)
def test_every_public_name_is_shown_before_its_first_use_and_resolves(package: str) -> None:
    done = subprocess.run([sys.executable, "-c", SHOWN, package], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [], "names that dir() does not show"


@pytest.mark.parametrize("package", LAZY)
def test_a_name_that_a_package_does_not_have_is_an_attribute_error(package: str) -> None:
    module = import_module(package)
    with pytest.raises(AttributeError, match="'Nonsense'"):
        _ = module.Nonsense
