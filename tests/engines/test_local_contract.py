"""The local engine keeps the engine contract, under control groups where granted and under affinity alone."""

from typing import Any, ClassVar

from tests.engines.contract import EngineContract


class TestLocalEngine(EngineContract):
    """As this system confines."""


class TestLocalEngineByAffinity(EngineContract):
    """As a system without control groups confines."""

    spec_changes: ClassVar[dict[str, Any]] = {"enforcement": "affinity"}
