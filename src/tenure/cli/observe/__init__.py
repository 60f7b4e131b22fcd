"""`tenure observe`: which layer is seen by what, how fresh, and where nobody looks; one request through all.

Promises: what is shown was read just now, or its age stands beside it. Refuses: to count what is only declared.
"""

from tenure.cli.observe.command import app

__all__ = ["app"]
