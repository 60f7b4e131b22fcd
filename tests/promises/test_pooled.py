"""The fast way to a window's percentile gives what the definition gives, whatever the requests are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenure.promises import (
    LatencyObjective,
    Metric,
    Outcome,
    RequestSample,
    percentile_reading,
    readings,
    window_percentile,
    window_reading,
)

DURATIONS = st.integers(0, 2**62) | st.integers(2**63 - 2, 2**64 + 2)
GAPS = st.lists(st.integers(0, 10**6), max_size=12) | st.lists(DURATIONS, max_size=5)
LATENCIES = [metric for metric in Metric if not metric.is_rate and metric is not Metric.AVAILABILITY]


@st.composite
def requests(draw: st.DrawFn) -> RequestSample:
    """Requests of every sort, those that contradict themselves included: a record can say anything."""
    return RequestSample(
        arrival_ns=draw(st.integers(0, 2**60)),
        first_token_after_ns=draw(st.none() | DURATIONS),
        gaps_ns=tuple(draw(GAPS)) * draw(st.sampled_from((1, 1, 40))),
        end_after_ns=draw(st.none() | DURATIONS),
        prompt_tokens=1,
        output_tokens=1,
        status=200,
        outcome=draw(st.sampled_from(Outcome) | st.just(Outcome.COMPLETED)),
        progress_after_ns=draw(st.none() | DURATIONS),
    )


@given(
    st.lists(requests(), max_size=12),
    st.sampled_from(LATENCIES),
    st.sampled_from((1, 50, 95, 99, 99.9, 100)),
    st.integers(1, 5),
    st.integers(1, 2**62),
)
def test_selection_finds_what_sorting_finds(
    samples: list[RequestSample], metric: Metric, percentile: float, owed: int, bound_ns: int
) -> None:
    objective = LatencyObjective(metric, percentile, bound_ns)
    values = readings(samples, metric, owed, bound_ns)
    plain = percentile_reading(values, percentile) if values else None
    assert window_reading(samples, objective, owed) == plain
    assert window_percentile(iter(samples), objective, owed) == (plain.high if plain else None)


def test_completed_answers_alone_are_selected_from_too() -> None:
    gaps = tuple(1000 * (k * 31 % 997) for k in range(997))
    sample = RequestSample(0, 1, gaps, 2, 1, 998, 200)
    for percentile in (0.1, 50, 99, 99.9, 100):
        objective = LatencyObjective(Metric.INTER_TOKEN_LATENCY, percentile, 1)
        plain = percentile_reading(readings([sample], objective.metric), percentile)
        assert window_reading([sample], objective) == plain
