"""When bytes came, as against when a busy machine let us read them.

A tap that got no CPU must not shorten what its users waited, and a prober that got none must not lengthen it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys


def waited_in_kernel_ns(transport: asyncio.Transport | None) -> int:
    """How long the bytes just read from a connection had waited for this process; 0 where the system does not say.

    Linux knows when a connection last received data (`tcpi_last_data_recv`, to a few milliseconds).
    """
    if sys.platform != "linux" or transport is None:
        return 0
    try:
        facts = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 56)
    except (OSError, AttributeError):
        return 0
    (waited_ms,) = struct.unpack_from("I", facts, 52) if len(facts) == 56 else (0,)
    # Below this it is the clock tick that is seen, not waiting.
    return int(waited_ms) * 1_000_000 if waited_ms > 5 else 0
