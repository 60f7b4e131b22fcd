"""The model that real tests run, and an honest skip where it has not been fetched."""

from pathlib import Path

import pytest

from tenure.catalog import artifact_of, cached_path, models


def cached_model(name: str = "smollm2-135m-instruct") -> Path:
    """The cached file of a model in the catalog; skips the test where it is absent (tests fetch nothing)."""
    model = next(model for model in models() if model.metadata.name == name)
    path = cached_path(artifact_of(model))
    if path is None:
        pytest.skip(f"model {name} is not in the cache; `tenure model fetch {name}` brings it")
    return path
