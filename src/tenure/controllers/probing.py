"""The prober's budget: how many requests it may add, which is part of the contract and of the load that is trialled."""

from tenure.promises import Load
from tenure.quantities import Rate

PROBES_PER_WINDOW = 3
"""With three expected, a window without any (Poisson) is one in twenty."""
SHARE_OF_LOAD_MAX = 5
"""Never more than a fifth of the declared load, however short the windows."""


def probes_micro(load: Load, window_ms: int) -> int:
    """Mean probes per second, in millionths."""
    return min(PROBES_PER_WINDOW * 10**9 // window_ms, load.arrivals_micro // SHARE_OF_LOAD_MAX)


def with_probes(load: Load, window_ms: int) -> Load:
    """The load that a contract carries in all: its users' and the prober's."""
    return Load(load.arrivals_micro + probes_micro(load, window_ms), load.prompt_tokens, load.output_tokens)


def probe_rate(load: Load, window_ms: int) -> Rate:
    """The budget as the API writes it."""
    return Rate(probes_micro(load, window_ms))
