"""What contracts stand on is not deleted under them: the finalizer, who stands on what, and the reconciler of both."""

from tenure.controllers.in_use.finalizer import IN_USE_FINALIZER, guard_all, guarded
from tenure.controllers.in_use.reconcile import in_use_controllers

__all__ = ["IN_USE_FINALIZER", "guard_all", "guarded", "in_use_controllers"]
