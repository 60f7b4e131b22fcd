"""A contract's statistical promises as the judge takes them. Pure.

Used while a contract runs and, offline, by whoever verifies a bundle.
"""

from tenure.controllers.contract.judge import objective_of
from tenure.promises import Assurance, Load, Promise
from tenure.resources.kinds.allocation import Promises


def promises_of(promises: Promises) -> list[Promise]:
    """The statistical promises of a contract's terms."""
    if promises.load is None:
        return []
    declared = Load(int(promises.load.requests_per_second), promises.load.prompt_tokens, promises.load.output_tokens)
    found = []
    for promise in promises.statistical:
        objective = objective_of(promise)
        if objective is not None:
            assurance = Assurance(promise.window.ms, promise.share.value, promise.confidence.value)
            found.append(Promise(objective, declared, assurance))
    return found
