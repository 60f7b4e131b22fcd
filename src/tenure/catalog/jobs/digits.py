"""Handwritten digits, 8 x 8 pixels each: the data set that ships with the package, checked by its digest.

1797 digits of 13 people: the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, UCI
Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0), byte for byte the file `digits.csv.gz`
that scikit-learn ships.
"""

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
PIXELS, CLASSES = 64, 10
BRIGHTEST = 16
HELD_OUT_ONE_IN = 5


class DataSetError(ValueError):
    """The file is not the one that its digest names."""


@dataclass(frozen=True)
class Digits:
    """Pictures, shape (n, 64), of pixels from 0 to 1, and which digit each shows, shape (n,), 0 to 9."""

    pictures: Array
    shown: NDArray[np.int64]


def read(content: bytes | None = None) -> Digits:
    """All digits of the file that ships, or of its `content`. Raises DataSetError where the digest differs."""
    packed = (files("tenure.catalog") / "data" / "digits.csv.gz").read_bytes() if content is None else content
    found = hashlib.sha256(packed).hexdigest()
    if found != SHA256:
        raise DataSetError(f"digits.csv.gz has the digest {found}, not {SHA256}: install the package again")
    rows = np.array([line.split(",") for line in gzip.decompress(packed).decode().splitlines()], dtype=np.float64)
    return Digits(rows[:, :PIXELS] / BRIGHTEST, rows[:, PIXELS].astype(np.int64))


def training_and_held_out(all_of_them: Digits) -> tuple[Digits, Digits]:
    """Every fifth is held out: never trained on, and all that the accuracy is measured on."""
    out = np.arange(len(all_of_them.shown)) % HELD_OUT_ONE_IN == 0
    pictures, shown = all_of_them.pictures, all_of_them.shown
    return Digits(pictures[~out], shown[~out]), Digits(pictures[out], shown[out])
