"""What the product costs its user: starting a command, asking, writing durably, idling, and the tap in between.

Each figure stands beside its aim and, where something else binds, beside the floor that was measured in the same run:
the interpreter's bare start, or the disk's own fdatasync. Nothing is simulated: commands are run as people run them,
writes go through the API of a `tenure up` on the checkout's disk, and the evidence asked about comes from a real trial.
"""
