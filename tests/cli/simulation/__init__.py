"""A trace on a fleet in virtual time, by behaviour."""
