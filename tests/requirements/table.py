"""`make requirements`: run every proof with its failing twin, then print the table with what has just been shown."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.requirements.proof import Proof, run, together
from tests.requirements.rows import ROWS, Row

HERE = Path(__file__).parent
SIGNS = {"shown": "ok", "not shown here": "SKIP", "FAILED": "FAIL"}
OUTPUT_CHARACTERS_MAX = 20_000
"""Of a proof that failed: where it did, and what stood in its homes then."""


def main() -> int:
    """Exit 0 unless a proof failed; what this machine could not show is no failure, and is not called proven."""
    proofs = {}
    for file in sorted({file for row in ROWS for file in row.tests}):
        proofs[file] = proof = run(HERE / file)
        counts = f"{proof.passed} passed, {len(proof.skipped)} skipped, {proof.failed} failed"
        print(f"{SIGNS[proof.verdict]:4} {file}: {counts}", *proof.notes, sep="\n       ", flush=True)
        if proof.verdict == "FAILED":
            print(proof.output[-OUTPUT_CHARACTERS_MAX:], flush=True)
    print("", *table(ROWS, proofs), sep="\n")
    return 1 if any(proof.verdict == "FAILED" for proof in proofs.values()) else 0


def table(rows: Sequence[Row], proofs: Mapping[str, Proof]) -> list[str]:
    """A line a demand, and what it comes to."""
    lines, proven, unshown = [], 0, 0
    for row in rows:
        proof = together([proofs[file] for file in row.tests if file in proofs])
        state: str = row.state
        notes = [f"missing: {row.missing}"] if row.missing else []
        if proof is not None and proof.verdict != "shown":
            state = proof.verdict
            notes += [f"{row.state} elsewhere, here: {proof.why_not}"] if proof.verdict == "not shown here" else []
        proven += state == "proven"
        unshown += state == "not shown here"
        lines.append(f"{row.id:4} {state:14} {row.label}" + (f"  ({'; '.join(notes)})" if notes else ""))
    verdicts = [proof.verdict for proof in proofs.values()]
    lines += ["", f"{proven} of {len(rows)} demands proven just now, {unshown} not shown here."]
    lines.append(f"{verdicts.count('shown')} passed, {verdicts.count('FAILED')} failed")
    if unshown:
        lines[-1] += f", {verdicts.count('not shown here')} not shown here"
    return lines


if __name__ == "__main__":
    sys.exit(main())
