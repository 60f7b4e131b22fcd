"""`make requirements`: run every proof with its failing twin, then print the table with what has just passed."""

import subprocess
import sys
from pathlib import Path

from tests.requirements.rows import ROWS

HERE = Path(__file__).parent


def main() -> int:
    """Exit 0 when every row that claims a proof has it."""
    files = sorted({row.test for row in ROWS if row.test})
    passed = {}
    for file in files:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", str(HERE / file), "-q", "--no-header", "-rs"],
            check=False,
            text=True,
            capture_output=True,
        )
        passed[file] = done.returncode == 0
        lines = done.stdout.strip().splitlines() or ["no output"]
        last = next((line for line in reversed(lines) if " in " in line and line[:1].isdigit()), lines[-1])
        print(f"{'ok  ' if passed[file] else 'FAIL'} {file}: {last}", flush=True)
        if not passed[file]:
            print(done.stdout[-3000:], flush=True)
    print()
    for row in ROWS:
        state = row.state if not row.test or passed[row.test] else "FAILED"
        print(f"{row.id:4} {state:8} {row.label}" + (f"  (missing: {row.missing})" if row.missing else ""))
    proven = sum(row.state == "proven" and passed.get(row.test, False) for row in ROWS)
    print(f"\n{proven} of {len(ROWS)} demands proven just now.")
    failed = sum(not ok for ok in passed.values())
    print(f"{len(passed) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
