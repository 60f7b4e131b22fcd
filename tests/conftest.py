"""What every test shares: the asyncio back end, and Hypothesis that is steady on slow machines."""

import os

import pytest
from hypothesis import settings

# The default tests take half of Hypothesis' hundred cases, `make test-slow` all of them.
settings.register_profile("quick", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None)
settings.load_profile("thorough" if os.environ.get("TENURE_EXAMPLES") else "quick")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
