"""Between the holds of the API's objects and those of the placement core: the same facts, two spellings."""

from typing import Literal

from tenure.placement import Claim as PlacedClaim
from tenure.placement import DeviceClaim as PlacedDevice
from tenure.placement import Draw, Role
from tenure.placement import Hold as PlacedHold
from tenure.quantities import Bytes, Count, Instant
from tenure.resources.kinds.allocation import BudgetDraw, Claim, DeviceClaim, Hold

RESERVE: Literal["reserve"] = "reserve"
"""The role of what is held back; every other role is work."""
ALIKE = Role().name
"""The role of members that are all alike; it says nothing and is not written down."""


def to_placed(hold: Hold) -> PlacedHold:
    """The API's hold as the placement core's."""
    return PlacedHold(
        id=hold.id,
        group=hold.group,
        site=hold.site,
        start_ms=int(hold.start),
        end_ms=int(hold.end),
        claims=tuple(
            PlacedClaim(
                machine=claim.machine,
                cores=tuple(claim.cores),
                memory_bytes=int(claim.memory),
                memory_nodes=tuple(claim.memory_nodes),
                devices=tuple(PlacedDevice(device.id, int(device.count)) for device in claim.devices),
                role=claim.purpose or claim.role or "",
                draws=tuple(Draw(draw.budget, draw.amount) for draw in claim.draws),
            )
            for claim in hold.claims
        ),
    )


def from_placed(hold: PlacedHold) -> Hold:
    """The placement core's hold as the API's."""
    return Hold(
        id=hold.id,
        group=hold.group,
        site=hold.site,
        start=Instant(hold.start_ms),
        end=Instant(hold.end_ms),
        claims=[
            Claim(
                machine=claim.machine,
                purpose=RESERVE if claim.role == RESERVE else None,
                role=claim.role if claim.role not in ("", ALIKE, RESERVE) else None,
                cores=list(claim.cores),
                memory=Bytes(claim.memory_bytes),
                memory_nodes=list(claim.memory_nodes),
                devices=[DeviceClaim(id=device.id, count=Count(device.milli)) for device in claim.devices],
                draws=[BudgetDraw(budget=draw.budget, amount=draw.amount) for draw in claim.draws],
            )
            # What the work runs on comes first, whatever the order in which it was placed.
            for claim in sorted(hold.claims, key=lambda claim: claim.role == RESERVE)
        ],
    )
