"""Writing measurements down under the key that makes them comparable."""

from tenure.controllers.answering.capability import RunShape
from tenure.controllers.measuring import Windows
from tenure.controllers.plane import Plane
from tenure.controllers.subject import Subject
from tenure.measurement import TrialPlan
from tenure.measurement.store import Evidence, EvidenceKey


def remember(
    plane: Plane,
    subject: Subject,
    shape: RunShape,
    plan: TrialPlan,
    windows: Windows,
    *,
    neighbours: str,
    origin: str,
) -> None:
    """Keep the windows of one measurement."""
    plane.known.add(
        Evidence(
            key=EvidenceKey(
                model_digest=subject.digest,
                runtime=subject.runtime.name,
                runtime_version=subject.runtime.spec.version,
                shape=(("threads", shape.threads), ("slots", shape.slots)),
                hardware_class=subject.hardware_class,
                neighbours=neighbours,
            ),
            load=plan.load,
            window_ms=plan.window_ms,
            windows=windows,
            measured_at_ms=plane.clock.now_ms(),
            origin=origin,
        )
    )
