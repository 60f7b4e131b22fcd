# %% [markdown]
# # Placement by itself
# `tenure.placement` needs nothing else of Tenure: a fleet, a calendar of holds and a demand go in, a plan or a refusal
# comes out, as values. Run this file, or open it as a notebook (each `# %%` is a cell).

# %% A fleet: two racks of two machines, each with two NUMA nodes of 8 cores, 64 GiB and 4 GPUs
from tenure.placement import (
    Alternative,
    Budget,
    Calendar,
    Choice,
    Core,
    Demand,
    Device,
    DeviceRequest,
    Fleet,
    FleetMachine,
    Level,
    Locality,
    MemoryNode,
    Plan,
    PowerFacts,
    Refusal,
    Role,
    SpreadOut,
    Step,
    capacity,
    plan,
    relaxations,
)

GIB, KW, HOUR = 2**30, 1_000_000, 3_600_000  # bytes, milliwatts, milliseconds


def machine(name: str, rack: str) -> FleetMachine:
    return FleetMachine(
        name,
        site="hamburg",
        place=(("rack", rack),),
        cores=tuple(Core(n, numa_node=n // 8, l3=n // 8) for n in range(16)),
        memory=(MemoryNode(0, 64 * GIB), MemoryNode(1, 64 * GIB)),
        devices=tuple(
            Device(f"gpu{n}", "gpu", "H100", numa_node=n // 4, pcie_switch=f"sw{n // 2}", power=PowerFacts(700_000))
            for n in range(8)
        ),
        reserved_cores=frozenset({0}),
    )


fleet = Fleet.of(
    [machine(f"r{rack}-m{n}", f"rack-{rack}") for rack in (7, 8) for n in (1, 2)],
    levels=(Level("rack"),),
    budgets=(Budget("power", "rack", "rack-7", 4 * KW, unit="mW"), Budget("power", "rack", "rack-8", 12 * KW)),
)

# %% One member that wants two GPUs below one PCIe switch and its cores beside them
now = 0
wanted = Demand(
    "trainer",
    roles=(Role(cores=4, memory_bytes=32 * GIB, devices=(DeviceRequest("gpu", 2),), requires=frozenset({"pcie"})),),
    duration_ms=8 * HOUR,
)
answer = plan(fleet, Calendar(), wanted, now_ms=now)
assert isinstance(answer, Plan)
print("plan:", answer.claims[0].to_json())

# %% What is planned counts once its hold is in the calendar
calendar = Calendar(margin_ms=30_000).with_holds(answer.hold("trainer"))

# %% A gang of 16 GPUs in one rack: the power of rack-7 does not carry it, rack-8 does
gang = Demand(
    "gang",
    roles=(Role("worker", count=4, cores=4, devices=(DeviceRequest("gpu", 4),)),),
    required_level="rack",
    duration_ms=2 * HOUR,
)
answer = plan(fleet, calendar, gang, now_ms=now)
assert isinstance(answer, Plan)
print("gang:", answer.level, answer.domain, dict(answer.draws))
calendar = calendar.with_holds(answer.hold("gang"))

# %% The same again is refused, by name and number, with what conflicts and when it frees
second = Demand("second", gang.roles, required_level="rack", duration_ms=2 * HOUR)
answer = plan(fleet, calendar, second, now_ms=now)
assert isinstance(answer, Refusal)
print("refused:", answer.reason, answer.binding.constraint, "needs", answer.binding.needed, answer.binding.unit)
print("because of:", [conflict.constraint for conflict in answer.conflict], "until", answer.earliest_ms)

# %% Counter-offers: what we could do without is given, `later` is found; each is a plan that can be held at once
smaller = Demand("eighth", (Role("worker", cores=4, devices=(DeviceRequest("gpu", 2),)),), duration_ms=2 * HOUR)
for offer in relaxations(fleet, calendar, second, [Alternative(smaller, (Step("less", 14),))], now_ms=now):
    print("counter-offer:", {step.axis: step.amount for step in offer.steps}, "at", offer.plan.start_ms)

# %% Of two racks that would do, weighed scores pick one: here how far apart members are, and who would fail with them
choice = Choice(((Locality(), 1.0), (SpreadOut("rack", holds=frozenset({"trainer"})), lambda taken: 5 * (1 - taken))))
pair = Demand("pair", (Role("worker", count=2, cores=4, devices=(DeviceRequest("gpu"),)),), duration_ms=HOUR)
for name, picked in ("without a choice", None), ("with it", choice):
    answer = plan(fleet, Calendar().with_holds(calendar.holds["trainer"]), pair, now_ms=now, choice=picked)
    assert isinstance(answer, Plan)
    print(f"pair, {name}:", {fleet.machine(claim.machine).domain("rack") for claim in answer.claims})

# %% What ends this site?
report = capacity(fleet, calendar, "hamburg", at_ms=now)
assert report.binding is not None
print(f"{report.members} more GPUs fit; {report.binding.kind} at {report.binding.share:.0%} ends it")
print(f"{report.one_more / KW} kW carry one more, {report.unlocks} in all until {report.next_limit} ends it")
