"""What looks at a contract from outside: how often, the prober's budget, and the workload's own counters that it reads.

The budget is how many requests the prober may add; it is part of the contract and of the load that is trialled.
"""

from collections.abc import Iterable

from tenure.measurement.scrape import MetricsMap
from tenure.promises import Load
from tenure.quantities import Rate
from tenure.runtimes import MetricRule

PROBES_PER_WINDOW = 3
"""With three expected, a window without any (Poisson) is one in twenty."""
SHARE_OF_LOAD_MAX = 5
"""Never more than a fifth of the declared load, however short the windows."""
LOOK_MS, LOOK_MS_LEAST = 2_000, 250
"""How often the control plane looks at a run, at the least and at the most."""


def look_ms(windows_ms: Iterable[int]) -> int:
    """The pace at which a run with such windows is looked at: four times a window, so that a breach is seen within one
    and evidence never gets as old as one between two looks."""
    return min([LOOK_MS, *(max(LOOK_MS_LEAST, ms // 4) for ms in windows_ms)])


def probes_micro(load: Load, window_ms: int) -> int:
    """Mean probes per second, in millionths."""
    return min(PROBES_PER_WINDOW * 10**9 // window_ms, load.arrivals_micro // SHARE_OF_LOAD_MAX)


def with_probes(load: Load, window_ms: int) -> Load:
    """The load that a contract carries in all: its users' and the prober's."""
    return Load(load.arrivals_micro + probes_micro(load, window_ms), load.prompt_tokens, load.output_tokens)


def probe_rate(load: Load, window_ms: int) -> Rate:
    """The budget as the API writes it."""
    return Rate(probes_micro(load, window_ms))


TOKENS, PACE, RUNNING = "outputTokensPerSecond", "timePerOutputToken", "requestsRunning"
"""What a Runtime's manifest maps, under the names that this room reads."""


def metrics_map(rules: Iterable[MetricRule]) -> MetricsMap | None:
    """The counters to compare the tap with; None where the runtime does not say which of its own counts tokens.

    The time per token is taken from its counters only where it is the seconds of the same tokens.
    """
    by_name = {rule.objective: rule for rule in rules}
    tokens, pace, running = by_name.get(TOKENS), by_name.get(PACE), by_name.get(RUNNING)
    if tokens is None or not tokens.is_counter or tokens.per is not None:
        return None
    return MetricsMap(
        output_tokens=tokens.metric,
        output_seconds=pace.metric if pace is not None and pace.per == tokens.metric else None,
        running=running.metric if running is not None and running.per is None else None,
    )
