"""Deadlines: accept or refuse at arrival, and keep what was accepted.

What it is: a timetable of one pool of alike units (GPUs) in slots of equal length, for gangs of fixed width that may be
stopped and resumed between slots. Work is booked as late as its deadline permits, so that the near future stays free
for what is urgent; whatever stands idle is filled at once with booked work pulled forward.
It promises: an accepted job has a booking at every instant until it is done, and bookings only ever move earlier, so no
promise is broken. Where capacity is lost, work is booked anew, and only promises that no booking keeps are broken, by
name. A refusal says how much was needed, how much was free, and how much was kept for smaller work.
It refuses: elastic widths, and knowledge of where in the pool a gang runs.
"""

from tenure.placement.deadlines.admission import Admission, Declined, Job, Lost, Promise
from tenure.placement.deadlines.mix import SizeMix
from tenure.placement.deadlines.timetable import Booking, Timetable

__all__ = ["Admission", "Booking", "Declined", "Job", "Lost", "Promise", "SizeMix", "Timetable"]
