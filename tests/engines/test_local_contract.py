"""The local engine keeps the engine contract, under control groups where granted and under affinity alone."""

from typing import Any, ClassVar

import pytest
from tests.engines.contract import ConfinementContract, EngineContract
from tests.engines.contract_commands import CommandContract


class TestLocalEngine(EngineContract):
    """As this system confines."""


class TestLocalEngineByAffinity(ConfinementContract):
    """As a system without control groups confines."""

    spec_changes: ClassVar[dict[str, Any]] = {"enforcement": "affinity"}


@pytest.mark.slow
class TestCommandsByAffinity(CommandContract):
    """What is alike however a command is confined: the same code, asked for once more."""

    spec_changes: ClassVar[dict[str, Any]] = {"enforcement": "affinity"}
