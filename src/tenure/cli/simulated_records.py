"""Records of simulated runs that were put back from a backup, made to say what the objects beside them say.

Nothing runs behind them, so in any home and at any time they are right where they agree with the ledger. They need not
at first: they were copied after the objects, and a backup of an older version holds none.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from tenure.cli.stored import opened, stored
from tenure.client import Unreadable
from tenure.client.calls import decode
from tenure.engines import EndReason, Phase, RunState, SimulatedEngine
from tenure.resources import Contract


def settle_records(home: Path) -> None:
    """Forget records that no contract of the store holds any more, and write one of each contract in service whose own
    is lacking, damaged or of a run that was stopped only after the objects were copied. Raises StoreError."""
    from tenure.controllers.contract.run import simulated_spec

    engine = SimulatedEngine(home)
    contracts = _contracts(home)
    phases = {held: phase for held, (phase, _) in contracts.items()}
    for state in engine.runs():
        phase = phases.get(state.run_id, "Ended")
        if phase == "Ended" or (phase == "Active" and _is_beyond(state)):
            engine.stop(state.run_id)
            engine.forget(state.run_id)
    for phase, content in contracts.values():
        if phase == "Active" and (contract := _read(content)) is not None:
            engine.start(simulated_spec(contract))


def _is_beyond(state: RunState) -> bool:
    """Whether a record says what a contract in service contradicts; that its term is over is seen by itself."""
    return state.phase is Phase.UNREADABLE or (state.final and state.reason is not EndReason.TERM_OVER)


def _contracts(home: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """Each contract's phase and content by the run that it holds, also where it cannot be understood otherwise."""
    with opened(home) as store:
        contents = list(stored(store, Contract))
    found = {}
    for content in contents:
        spec, status = content.get("spec") or {}, content.get("status") or {}
        run_id = (spec.get("hold") or {}).get("id")
        if run_id is not None:
            found[str(run_id)] = str(status.get("phase", "Proposed")), content
    return found


def _read(content: dict[str, Any]) -> Contract | None:
    """The contract; None where this version refuses it as it is stored, and begins nothing for it either."""
    with suppress(Unreadable):
        return decode(Contract, content)
    return None
