"""A prober whose clock runs away: the shipped one's own program, with the clock that it reads bent here.

python -m benchmarks.honesty.broken_prober CONFIG.json
"""

from __future__ import annotations

import sys

from benchmarks.honesty.broken_tap import drift
from tenure.measurement import prober


def main(words: list[str]) -> int:
    """Bend it, and be the prober."""
    drift()
    return prober.main(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
