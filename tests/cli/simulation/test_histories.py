"""Whatever comes: nothing is oversold, nobody waits for ever, and the same is the same."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tenure.cli.simulate.page import page_json
from tenure.quantities import Power
from tests.cli.simulation.builders import COLUMNS, SHARE, job, run

Rows = list[tuple[int, int, int, str]]
rows = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(1, 33), st.sampled_from(["", "rack", "machine"])),
    max_size=15,
)


@pytest.mark.parametrize("how", [{}, COLUMNS], ids=["planned", "columns"])
@settings(max_examples=6, deadline=None)
@given(rows=rows, power=st.sampled_from([None, "9kW", "17kW"]), shares=st.booleans())
def test_nothing_is_oversold_and_nobody_waits_for_ever(
    how: dict[str, int], rows: Rows, power: str | None, shares: bool
) -> None:
    jobs = [job(f"j-{n}", at, hours, gpus, must=must) for n, (at, hours, gpus, must) in enumerate(sorted(rows))]
    if shares:
        jobs.insert(0, SHARE)
    told = run(*jobs, power=power, **how)
    assert all(point["gpus"] <= 32 for point in told["series"])
    if power is not None:
        assert told["peakPowerW"] <= int(Power.parse(power)) // 1000
    counts = told["jobs"]
    assert counts["arrived"] == counts["started"] + sum(counts["refused"].values())
    assert (counts["started"], counts["waitingAtEnd"]) == (counts["finished"], 0)


@pytest.mark.parametrize("how", [{}, COLUMNS], ids=["planned", "columns"])
def test_the_same_trace_gives_the_same_bytes(how: dict[str, int]) -> None:
    jobs = [SHARE, *(job(f"j-{n}", n % 5, 1 + n % 3, 1 + 7 * n % 30) for n in range(8))]
    assert page_json(run(*jobs, power="17kW", **how)) == page_json(run(*jobs, power="17kW", **how))
