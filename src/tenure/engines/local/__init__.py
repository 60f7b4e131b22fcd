"""The local engine: this machine, each run under its own small supervisor process.

The run folder is the record and the claim; the supervisor holds its lock for life; everything else (who is alive, what
it may use) is read from the kernel. Nothing here imports more than a supervisor needs unless it says so.
"""
