"""Where recorded real inputs live, and an honest skip where they do not."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def data_dir(*parts: str) -> Path:
    """The folder (or file) of recorded data named by `parts`; skips the test when this machine has none.

    `TENURE_DATA` wins, else `shared/data` beside the checkout.
    """
    root = Path(os.environ.get("TENURE_DATA", CHECKOUT.parent / "shared" / "data"))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"recorded data {'/'.join(parts) or '.'} is absent (looked in {root}; set TENURE_DATA)")
    return path
