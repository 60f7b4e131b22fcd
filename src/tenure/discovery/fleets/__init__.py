"""Fleets from files: a whole site as its operator writes it down, many machines in one file.

Two forms: manifests of the kinds that Tenure serves anyhow (Site, HardwareProfile, Machine), and a table, one machine
a row, with openb's columns and a few more.
Promises: a fleet is read as a whole or not at all; every error names file, row and column. Equal hardware becomes one
profile. Refuses: to guess what is not written (power, racks, links stay unknown).
"""

from tenure.discovery.fleets.hardware import Hardware, profile_of
from tenure.discovery.fleets.reading import FleetFile, read_fleet
from tenure.discovery.fleets.tables import Table, read_table

__all__ = ["FleetFile", "Hardware", "Table", "profile_of", "read_fleet", "read_table"]
