"""One control plane a module: what a module's tests leave is the next one's circumstance."""

from collections.abc import Iterator

import pytest

from tests.requirements.home import House, house


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = house(tmp_path_factory.mktemp("requirement"))
    try:
        yield made
    finally:
        made.close()
