"""`tenure contract audit`: a contract's whole life replayed from the evidence log, in a terminal, as JSON, or a page.

Promises: every figure comes from signed statements, so it is what a stranger would see too. Needs no server.
"""

from tenure.cli.audit.command import app

__all__ = ["app"]
