"""Small fleets and demands, and the strategies that draw them."""

from __future__ import annotations

from hypothesis import strategies as st

from tenure.placement.packing import Demand, Fleet, FleetState

GIB = 2**30


def fleet(*machines: tuple[int, int, str], memory_gib: int = 64) -> Fleet:
    """Machines of (CPUs, devices, model)."""
    return Fleet.of(
        [
            (f"m{row}", cpus * 1000, memory_gib * GIB, devices, model)
            for row, (cpus, devices, model) in enumerate(machines)
        ]
    )


def share(milli: int, cpus: int = 1, *models: str) -> Demand:
    return Demand(cpus * 1000, GIB, 1, milli, models)


def whole(count: int = 1, cpus: int = 1, *models: str) -> Demand:
    return Demand(cpus * 1000, GIB, count, 1000, models)


def cpu_only(cpus: int) -> Demand:
    return Demand(cpus * 1000, GIB)


MIXED = fleet((16, 2, "A"), (16, 2, "A"), (32, 4, "B"), (8, 1, "C"), (24, 0, ""), memory_gib=12)

demands = st.one_of(
    st.builds(
        share,
        st.sampled_from([50, 125, 333, 470, 500, 810]),
        st.integers(0, 6),
    ),
    st.builds(
        lambda milli, model: share(milli, 2, model), st.sampled_from([250, 600]), st.sampled_from(["A", "B", "C"])
    ),
    st.builds(whole, st.integers(1, 4), st.integers(0, 9)),
    st.builds(cpu_only, st.integers(0, 20)),
)


def fits(state: FleetState, machine: int, demand: Demand) -> bool:
    """The rules of feasibility, said once more and plainly."""
    model = state.fleet.model[machine]
    devices = state.device_free[machine].tolist()
    if state.cpu_free[machine] < demand.cpu_milli or state.memory_free[machine] < demand.memory_bytes:
        return False
    if demand.device_count == 0:
        return True
    if demand.models and (model == len(state.fleet.models) or state.fleet.models[model] not in demand.models):
        return False
    return sum(bool(left >= demand.device_milli) for left in devices) >= demand.device_count
