"""Jobs that ship with the package: small, real, and good neighbours, to begin with and to test by.

Promises: progress in OpenMetrics, checkpoints that survive a kill, the same result whether interrupted or not.
Refuses: to need anything but NumPy, a network, or a device.
"""
