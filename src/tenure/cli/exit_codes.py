"""What the exit codes of `tenure` mean. Scripts rely on them; they never change their meaning."""

from typing import Final

YES: Final = 0
NO: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
CONFLICT: Final = 4
INFEASIBLE: Final = 5
COUNTER_OFFERED: Final = 6
UNVERIFIABLE: Final = 7
OUR_FAULT: Final = 70
INTERRUPTED: Final = 130

MEANINGS: Final = {
    YES: "yes: done, held, kept, the same",
    NO: "the verdict is no: a breach, a difference, a wait that ran out",
    USAGE: "the command or the manifest is wrong, or this identity may not do that",
    NOT_FOUND: "no such object",
    CONFLICT: "it exists already, changed meanwhile, or was taken by somebody else (an expired offer)",
    INFEASIBLE: "refused: nothing fits, or policy forbids it",
    COUNTER_OFFERED: "not as asked, but counter-offers exist (held, or quoted where they say so)",
    UNVERIFIABLE: "unverifiable or unreachable: nobody can say",
    OUR_FAULT: "a fault of Tenure itself; TENURE_DEBUG=1 shows more",
    INTERRUPTED: "interrupted from the keyboard",
}
