"""What every test shares: the asyncio back end, Hypothesis that is steady on slow machines, and imports that are not
searched for garbage."""

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.support.last_words import UP, last_words

# The default tests take half of Hypothesis' hundred cases, `make test-slow` all of them.
settings.register_profile("quick", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None)
settings.load_profile("thorough" if os.environ.get("TENURE_EXAMPLES") else "quick")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays to the end: looking through it for garbage, again and again, took a quarter of the
    collection's time and some of every test's."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a failure stands what the homes were like that were up then."""
    report = yield
    if report.failed:
        report.sections += [(f"home {home}", last_words(home)) for home in UP]
    return report
