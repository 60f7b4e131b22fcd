"""What makes the world follow the objects: one folder a kind, one file a phase, over the kernel in `kernel`.

Promises: level-triggered, idempotent steps through the same door as everybody; nothing is decided from a watch cache.
Refuses: to be in the data path. Workloads run on when all of this is gone, and are adopted when it returns.
"""
