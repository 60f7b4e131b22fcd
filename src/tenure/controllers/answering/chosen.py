"""Why a plan is as it is: which preferences it could not keep. Pure."""

from tenure.placement import Plan
from tenure.resources.kinds.allocation import Chosen

BETWEEN_MEMBERS = ("level:", "spread:")
"""Preferences that a need states; what lies near each other inside a machine is preferred of itself."""


def chosen_of(plan: Plan) -> Chosen | None:
    """What decided, if anything did."""
    unmet = [what for what, met in plan.preferences if not met and what.startswith(BETWEEN_MEMBERS)]
    return Chosen(unmet=unmet) if unmet else None
