"""What Tenure can do on which operating system. `doctor`, `up`, `quickstart` and the README say it in these words."""

import platform
from dataclasses import dataclass

from tenure.cli import exit_codes
from tenure.cli.failures import Failure


@dataclass(frozen=True, slots=True)
class Support:
    """One system: whether work is placed, held and measured on it; what works there, what does not, and why."""

    system: str
    hosts: bool
    works: str
    lacks: str = ""

    @property
    def in_words(self) -> str:
        """All of it, in one paragraph."""
        return f"{self.works} {self.lacks}".strip()


LINUX = Support(
    system="Linux",
    hosts=True,
    works="in full. Cores and memory are enforced by cgroup v2, cgroup v1 or affinity, whichever the system really "
    "grants; each contract says which, and the kernel is read back.",
)
_ELSEWHERE = (
    "the command line and the SDK against a host on Linux (its door is on its loopback alone: "
    "`ssh -L PORT:127.0.0.1:PORT HOST`, with the PORT that its kubeconfig names), verification of evidence, "
    "`tenure simulate` and `tenure capacity --fleet`, and `tenure inventory` of files from other machines."
)
MACOS = Support(
    system="macOS",
    hosts=False,
    works=_ELSEWHERE,
    lacks="No discovery of this machine and no local engine: macOS has no way to pin a process to a core, and what "
    "cannot be pinned cannot be promised. `tenure up` and `tenure quickstart` say so at once.",
)


def support_of(name: str) -> Support:
    """What works on a system, by its name as `platform.system()` gives it: Linux, Darwin, or another."""
    if name == "Linux":
        return LINUX
    if name == "Darwin":
        return MACOS
    return Support(
        system=name or "an unknown system",
        hosts=False,
        works="nothing is promised.",
        lacks="Tenure is neither made nor tested for this system; what is written in plain Python may work.",
    )


def refusal_of(name: str, command: str) -> Failure | None:
    """Why a command that hosts work cannot run on this system; None where it can."""
    support = support_of(name)
    if support.hosts:
        return None
    return Failure(
        f"`tenure {command}` does not run on {support.system}. {support.lacks}",
        exit_code=exit_codes.INFEASIBLE,
        reason="SystemNotSupported",
        next_step="run it on Linux, and talk to it from here through `ssh -L` with its kubeconfig: --kubeconfig FILE. "
        f"What works here: {support.works}",
    )


def must_host(command: str) -> None:
    """Raises Failure (infeasible) where this machine's system cannot do what the command is for."""
    refusal = refusal_of(platform.system(), command)
    if refusal is not None:
        raise refusal
