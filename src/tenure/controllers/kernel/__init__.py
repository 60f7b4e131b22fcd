"""The reconcile kernel: objects in parallel, one object in sequence, bounded queues, backoff, an injected clock.

A reconciler is level-triggered: it gets a key, reads the world, makes it follow the object, and returns when it wants
to look again. It never sleeps.
"""

from tenure.controllers.kernel.loop import Controller, KeysOf, Reconciler, Wait, run_controllers
from tenure.controllers.kernel.queue import Key, WorkQueue

__all__ = ["Controller", "Key", "KeysOf", "Reconciler", "Wait", "WorkQueue", "run_controllers"]
