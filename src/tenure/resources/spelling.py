"""What was probably meant by a word that is not known."""

import difflib
import re
from collections.abc import Iterable

_BETWEEN_WORDS = re.compile(r"[-_\s]")


def did_you_mean(given: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was probably meant, if any is near; `time_to_first_token` is near `timeToFirstToken`."""
    folded = {name.lower(): name for name in known}
    for guess in (given.lower(), _BETWEEN_WORDS.sub("", given).lower()):
        if guess in folded:
            return folded[guess]
    near = difflib.get_close_matches(given.lower(), list(folded), n=1, cutoff=0.6)
    return folded[near[0]] if near else None
