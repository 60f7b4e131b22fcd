"""The command line: kubectl's grammar for the objects, and Tenure's own verbs for asking, accepting and knowing why.

Promises: a "no" says what is wrong, where, and what to do next; exit codes mean what `exit_codes` says; every command
that answers can answer in JSON; no traceback reaches a user. Refuses: to decide anything. It reads and writes objects
through the one door, as kubectl does.
"""

from tenure.cli.main import run

__all__ = ["run"]
