"""What every test shares: the asyncio back end, and Hypothesis that is steady on slow machines."""

import pytest
from hypothesis import settings

settings.register_profile("tenure", deadline=None)
settings.load_profile("tenure")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
