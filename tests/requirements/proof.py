"""What a proof showed on this machine just now: all of it, not all of it and why, or that it does not hold.

pytest itself calls a file of skipped tests a success; a demand that nothing was run for is not proven by that.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

Verdict = Literal["shown", "not shown here", "FAILED"]


@dataclass(frozen=True)
class Proof:
    """One file's tests, run once."""

    passed: int
    skipped: tuple[str, ...]
    """Why, one for each test that was skipped."""
    failed: int
    output: str = ""
    notes: tuple[str, ...] = ()
    """What a test recorded as a `note`: how often it had to look, say."""

    @property
    def verdict(self) -> Verdict:
        """Shown only if each of its tests ran and passed, the twins too."""
        if self.failed or not (self.passed or self.skipped):
            return "FAILED"
        return "not shown here" if self.skipped else "shown"

    @property
    def why_not(self) -> str:
        """What kept it from being shown, each reason once."""
        return "; ".join(dict.fromkeys(self.skipped))


def together(proofs: Sequence[Proof]) -> Proof | None:
    """The proof of a demand that several files show: each of them has to. None where no file is named."""
    if not proofs:
        return None
    failed = sum(max(1, proof.failed) for proof in proofs if proof.verdict == "FAILED")
    return Proof(sum(p.passed for p in proofs), tuple(why for p in proofs for why in p.skipped), failed)


def run(path: Path) -> Proof:
    """Run one file of proofs."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", str(path), "-q", "--no-header", "-rs", f"--junitxml={report}"],
            check=False,
            text=True,
            capture_output=True,
        )
        # Without a report pytest itself could not run, and that is a failure of its one collection.
        cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    skipped = tuple(reason.get("message", "") for case in cases if (reason := case.find("skipped")) is not None)
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    if done.returncode not in (0, 1) or (done.returncode and not failed):
        failed = max(failed, 1)
    passed = max(0, len(cases) - len(skipped) - failed)
    notes = tuple(n.get("value", "") for case in cases for n in case.iter("property") if n.get("name") == "note")
    return Proof(passed, skipped, failed, done.stdout + done.stderr, notes)
