"""What its user wishes measured beyond what an answer needs: an annotation, remembered once it was met. Pure."""

from tenure.controllers.answering.need import need_digest
from tenure.quantities import Duration, QuantityError
from tenure.resources import Workload
from tenure.resources.kinds.workload import TrialMade

TRIAL_FOR_ANNOTATION = "tenure.dev/trial-for"
TRIAL_ASKED_ANNOTATION = "tenure.dev/trial-asked"
"""When it was wished for: whoever asks for as much again wants as much again."""


def wish_of(workload: Workload) -> str:
    """What names the wish; empty where there is none."""
    said = workload.metadata.annotations or {}
    length, asked = said.get(TRIAL_FOR_ANNOTATION, ""), said.get(TRIAL_ASKED_ANNOTATION, "")
    return f"{length} {asked}".strip() if _read(workload)[0] is not None else ""


def why_unreadable(workload: Workload) -> str:
    """What is wrong with the wish, and where it stands; empty where there is none, or one that can be read."""
    return _read(workload)[1]


def _read(workload: Workload) -> tuple[Duration | None, str]:
    """The length that is wished for, or why it cannot be read: an annotation takes any text."""
    written = (workload.metadata.annotations or {}).get(TRIAL_FOR_ANNOTATION)
    if not written:
        return None, ""
    try:
        return Duration.parse(written), ""
    except QuantityError as error:
        return None, f'metadata.annotations["{TRIAL_FOR_ANNOTATION}"]: {error}'


def length_of(workload: Workload) -> Duration | None:
    """How long it is to be measured in all; None for no wish, or one that was met."""
    return None if was_met(workload) else _read(workload)[0]


def key_of(workload: Workload) -> str:
    """Names the trial: of this Workload, for the need as it is now, with this wish."""
    return f"{workload.uid}/{need_digest(workload.spec)}/{wish_of(workload)}"


def met_by_a_trial(workload: Workload) -> TrialMade | None:
    """What is to be remembered once the trial of this need was made: a restart does not measure it again."""
    wish = wish_of(workload)
    return TrialMade(need=need_digest(workload.spec), wish=wish) if wish else None


def was_met(workload: Workload) -> bool:
    """Whether its status remembers that this need was measured as this wish asks."""
    made = workload.status.trial_made if workload.status else None
    return made is not None and made == met_by_a_trial(workload)
