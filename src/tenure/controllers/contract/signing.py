"""The signature over a contract's terms."""

from tenure.controllers.plane import Plane
from tenure.evidence import sign_contract
from tenure.quantities import Instant
from tenure.resources import Contract
from tenure.resources.kinds.contract import Signature


def sign(plane: Plane, contract: Contract) -> Signature:
    """The envelope for the contract's status. A contract that was signed before keeps its signature."""
    if contract.status is not None and contract.status.signature is not None:
        return contract.status.signature
    now_ms = plane.clock.now_ms()
    envelope = sign_contract(
        namespace=contract.namespace or "default",
        name=contract.name,
        uid=contract.uid,
        spec=contract.spec.to_json(),
        at_ms=now_ms,
        key=plane.keys.signing,
    )
    return Signature(key_id=plane.keys.signing.id, signed_at=Instant(now_ms), envelope=dict(envelope))
