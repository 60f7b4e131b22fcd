"""`tenure simulate`: a trace of work on a fleet, both from files, in virtual time.

What it is: the placement core that decides at the door, driven by a trace instead of by people.
It promises: the same files, changes and seed give the same bytes; malformed files name file, row and column, or file,
document and field; the report is one file that opens offline. It refuses: to measure anything, and to touch a control
plane.
"""

from tenure.cli.simulate.command import simulate

__all__ = ["simulate"]
