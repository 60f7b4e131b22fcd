"""The work of a need: which sort it is, and how it is started where it brings its own command."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tenure.resources.base import ObjectName, ProgramText, Strict, violation
from tenure.resources.kinds import rules

SECRET_LENGTH_MAX = 2 * 253 + 1


class InferenceWork(Strict):
    """Serve a model."""

    model: ObjectName = Field(
        description="name of the Model to serve; `tenure model list` shows those that are known",
        examples=["smollm2-135m-instruct"],
    )
    runtime: ObjectName | None = Field(
        default=None, description="name of the Runtime that serves it; chosen by Tenure when absent"
    )


class JobWork(Strict):
    """A job that runs as `spec.run` says; the sort of work decides which objectives apply."""

    runtime: str | None = Field(
        default=None, description="name of a Runtime; not served yet, a need that names one is refused"
    )
    model: str | None = Field(
        default=None, description="name of a Model to work on; not served yet, a need that names one is refused"
    )
    dataset: str | None = Field(
        default=None, description="data to work on; not served yet, a need that names it is refused"
    )
    steps: int | None = Field(
        default=None, ge=1, description="steps that the job has; not served yet, a need that names them is refused"
    )


class EnvVar(Strict):
    """One environment variable, literal or from a Secret of the same namespace."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="name of the variable", examples=["HF_HOME"])
    value: ProgramText | None = Field(
        default=None, description="its value as it stands here; value or secret, not both"
    )
    secret: str | None = Field(
        default=None,
        max_length=SECRET_LENGTH_MAX,
        pattern=r"^[^/\x00]+/[^/\x00]+$",
        description="its value from a Secret of the same namespace: SECRET/KEY",
    )
    cel_rules = rules.ENV

    @model_validator(mode="after")
    def _one_source(self) -> "EnvVar":
        if self.value is not None and self.secret is not None:
            raise violation("ExactlyOneOf", f"give {self.name} a value or a secret, not both")
        return self


class RunFile(Strict):
    """A small file laid into the run's folder before it starts."""

    path: str = Field(
        pattern=r"^(\.?[^./\x00][^/\x00]*|\.\.[^/\x00]+)(/(\.?[^./\x00][^/\x00]*|\.\.[^/\x00]+))*$",
        description="inside the run's folder, without . and .. as parts",
    )
    content: ProgramText = Field(description="the text of the file")


class MetricsEndpoint(Strict):
    """Where the work's own metrics are read, in OpenMetrics text."""

    port: int = Field(ge=1, le=65535, description="the port that serves the metrics", examples=[9100])
    path: str = Field(default="/metrics", description="the path that serves them")


class Run(Strict):
    """How it is started, for work that brings its own command."""

    command: list[ProgramText] = Field(
        min_length=1, description='the program and its words; the word "{python}" is the Python that runs Tenure'
    )
    env: list[EnvVar] = Field(
        default_factory=list, description="environment variables of the command, beside the few that Tenure sets"
    )
    files: list[RunFile] = Field(
        default_factory=list, description="small files that are laid into the run's folder, where the command starts"
    )
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field(
        default_factory=list, description="ports that the command listens on, as it names them: [8080]"
    )
    metrics: MetricsEndpoint | None = Field(
        default=None, description="where the command's own metrics are read, such as its progress; absent: they are not"
    )
    restart: Literal["Always", "OnFailure", "Never"] = Field(
        default="OnFailure",
        description="what follows when the command ends within the term: Always, OnFailure (an exit "
        "code other than 0) or Never",
    )
