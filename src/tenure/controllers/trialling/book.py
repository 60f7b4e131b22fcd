"""Writing measurements down under the key that makes them comparable."""

from tenure.controllers.answering.measured import RunShape
from tenure.controllers.measuring import Windows
from tenure.controllers.plane import Plane
from tenure.controllers.subject import Subject
from tenure.measurement.store import Evidence, EvidenceKey
from tenure.promises import Load, Outcome


def answered(windows: Windows, asked: Load, window_ms: int) -> Load:
    """The load that a saturated server carried: with these lengths, as many a second as it answered."""
    count = sum(sample.outcome is Outcome.COMPLETED for window in windows for sample in window)
    return Load(max(1, count * 10**9 // (len(windows) * window_ms)), asked.prompt_tokens, asked.output_tokens)


def remember(
    plane: Plane,
    subject: Subject,
    shape: RunShape,
    load: Load,
    window_ms: int,
    windows: Windows,
    *,
    neighbours: str,
    origin: str,
) -> None:
    """Keep the windows of one measurement. `load` is the users'; the probes that come with it were measured too."""
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
            load=load,
            window_ms=window_ms,
            windows=windows,
            measured_at_ms=plane.clock.now_ms(),
            origin=origin,
        )
    )
