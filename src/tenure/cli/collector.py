"""Keeps Python's collections of garbage short in a process that holds a fleet for as long as it runs.

A full collection looks at every object: with 1,250 machines of eight GPUs in memory it takes a quarter of a second, in
which nobody is answered, and answering itself causes one every twenty questions. What has lived for a while is
therefore set aside from the collector (`gc.freeze`), so that a collection looks at what is new. What is set aside and
dies in a circle is not found any more; so, once in a long while, all of it is looked at.
"""

import asyncio
import gc

SECONDS = 20
"""Between two settings aside: a fleet that was read anew slows answers for no longer than that."""
FULL_EVERY = 180
"""Rounds between two looks at everything: an hour."""


def set_aside(*, everything: bool = False) -> None:
    """Collect what is new, or everything; what is left is not looked at again."""
    if everything:
        gc.unfreeze()
    gc.collect()
    gc.freeze()


async def keep_collections_short(seconds: float = SECONDS) -> None:
    """Until cancelled."""
    turn = 0
    while True:
        await asyncio.sleep(seconds)
        turn += 1
        set_aside(everything=turn % FULL_EVERY == 0)
