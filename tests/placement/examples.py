"""How many cases the oracle judges: 25 by default, or ``TENURE_EXAMPLES``, which makes them slow tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

ASKED = os.environ.get("TENURE_EXAMPLES", "")

TIER = [pytest.mark.slow] if ASKED else []
"""`make test-slow` asks for thousands, and its tests are those that are marked."""

thorough = settings(
    max_examples=int(ASKED or 25),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
