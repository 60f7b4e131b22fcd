"""Windows of time, aligned to the clock: window k of length w covers [k*w, (k+1)*w) Unix milliseconds.

Alignment makes the windows of every view (tap, prober, scrape, trial) the same windows without any of them telling the
other.
"""

from __future__ import annotations

from tenure.promises import Window


def aligned_start_ms(instant_ms: int, window_ms: int) -> int:
    """First window boundary at or after the instant."""
    return -(-instant_ms // window_ms) * window_ms


def window_at(instant_ms: int, window_ms: int) -> Window:
    """The window that holds the instant."""
    start_ms = instant_ms // window_ms * window_ms
    return Window(start_ms, start_ms + window_ms)


def part_windows(start_ms: int, end_ms: int, window_ms: int) -> tuple[Window, ...]:
    """What of a span is in no whole window: its beginning and its end, or all of it."""
    whole = windows_of(start_ms, end_ms, window_ms)
    if not whole:
        return (Window(start_ms, end_ms),) if start_ms < end_ms else ()
    edges = (Window(start_ms, whole[0].start_ms), Window(whole[-1].end_ms, end_ms))
    return tuple(edge for edge in edges if edge.start_ms < edge.end_ms)


def windows_of(start_ms: int, end_ms: int, window_ms: int) -> tuple[Window, ...]:
    """All whole windows between two instants."""
    first = aligned_start_ms(start_ms, window_ms)
    return tuple(Window(at, at + window_ms) for at in range(first, end_ms - window_ms + 1, window_ms))
