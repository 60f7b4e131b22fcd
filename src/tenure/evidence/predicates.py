"""Every sort of statement that evidence is made of, in one table.

A statement's predicate type is `https://tenure.dev/evidence/NAME/v1`. Its predicate always says who states it
(`source`), its number among those of that source (`sequence`, from 0, without gaps), under which id it is recorded
once and only once (`id`), when (`at`), from which inputs (`inputs`), and what (`body`).
"""

from dataclasses import dataclass

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_PREFIX = "https://tenure.dev/evidence/"


@dataclass(frozen=True, slots=True)
class Predicate:
    """One sort of statement: its name, what it says, and the fields that its body must have."""

    name: str
    meaning: str
    required: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The predicate type."""
        return f"{PREDICATE_PREFIX}{self.name}/v1"


PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "commissioning", "what was measured on the promised allocation, and whether it holds", ("holds", "figures")
    ),
    Predicate(
        "contract",
        "the terms of a contract, signed once commissioned: of which offer, whose, what is promised on what evidence",
        ("terms",),
    ),
    Predicate("read-back", "limits as read from kernel, engine or hardware beside those contracted", ("facts",)),
    Predicate(
        "window-verdict",
        "one promise judged in one window; its inputs recompute it",
        ("promise", "start", "end", "verdict", "reason"),
    ),
    Predicate(
        "accounting", "a promise over its accounting period: windows, attainment, budget left", ("promise", "verdict")
    ),
    Predicate(
        "cause",
        "what the kernel says took time from the work in a window that was broken",
        ("window", "likeliest", "said"),
    ),
    Predicate(
        "completion",
        "a promised completion judged once: when the work ended, beside its deadline, which recomputes it",
        ("by", "work", "seen", "verdict", "reason"),
    ),
    Predicate("remedy", "a step was taken against a breach: the rung, its cause, what came of it", ("rung", "cause")),
    Predicate(
        "notice", "something both parties must know: an end in sight, a change offered, a run begun again", ("what",)
    ),
    Predicate("ending", "a contract ended: why, when, with what credit", ("because",)),
    Predicate("retirement", "what windows that ended before an instant stand on is given up: retention", ("before",)),
    Predicate("checkpoint", "a checkpoint of this log was given to someone", ("checkpoint",)),
    Predicate("key-rotation", "the old signing key vouches for the new one", ("from", "to", "publicKey")),
)

BY_NAME: dict[str, Predicate] = {predicate.name: predicate for predicate in PREDICATES}
BY_URI: dict[str, Predicate] = {predicate.uri: predicate for predicate in PREDICATES}
