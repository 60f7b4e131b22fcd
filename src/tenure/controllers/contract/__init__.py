"""Contracts: started and measured on their very allocation, signed, watched, ended, and released when all is gone.

`reconcile` is the way in; the phases are its siblings, and what is done about a breach is in `controllers.remedies`.
"""
