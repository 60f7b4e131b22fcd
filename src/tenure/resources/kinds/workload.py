"""Workload and Inquiry: what a developer writes, and the question that holds nothing."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tenure.quantities import Amount, Duration, Instant, Power
from tenure.resources.base import ApiObject, CelRule, ObjectMeta, ObjectName, ProgramText, Status, Strict, violation
from tenure.resources.kinds.answer import Answer
from tenure.resources.kinds.members import ResourceRequest, TopologyRules
from tenure.resources.kinds.objectives import Assurance, Load, Objectives, Residency, Term

SECRET_LENGTH_MAX = 2 * 253 + 1
NAME_MAX = 63
GENERATED_MAX = 58
"""A host adds five characters to a generateName."""
WORK = ("inference", "training", "finetuning", "batch", "agent", "command")


class InferenceWork(Strict):
    """Serve a model."""

    model: ObjectName
    runtime: ObjectName | None = Field(default=None, description="chosen by Tenure when absent")


class JobWork(Strict):
    """A job that runs as `spec.run` says; the sort of work decides which objectives apply."""

    runtime: str | None = None
    model: str | None = None
    dataset: str | None = None
    steps: int | None = Field(default=None, ge=1)


class EnvVar(Strict):
    """One environment variable, literal or from a Secret of the same namespace."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    value: ProgramText | None = None
    secret: str | None = Field(
        default=None, max_length=SECRET_LENGTH_MAX, pattern=r"^[^/\x00]+/[^/\x00]+$", description="SECRET/KEY"
    )

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
    content: ProgramText


class MetricsEndpoint(Strict):
    """Where the work's own metrics are read, in OpenMetrics text."""

    port: int = Field(ge=1, le=65535)
    path: str = "/metrics"


class Run(Strict):
    """How it is started, for work that brings its own command."""

    command: list[ProgramText] = Field(
        min_length=1, description='the program and its words; the word "{python}" is the Python that runs Tenure'
    )
    env: list[EnvVar] = Field(default_factory=list)
    files: list[RunFile] = Field(default_factory=list)
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field(default_factory=list)
    metrics: MetricsEndpoint | None = None
    restart: Literal["Always", "OnFailure", "Never"] = "OnFailure"


class Budget(Strict):
    """Limits of money."""

    hourly_max: Amount | None = None
    total_max: Amount | None = None

    @model_validator(mode="after")
    def _one_currency(self) -> "Budget":
        if self.hourly_max and self.total_max and self.hourly_max.currency != self.total_max.currency:
            raise violation(
                "CurrenciesDiffer",
                f"hourlyMax is in {self.hourly_max.currency} and totalMax in {self.total_max.currency}, and none is "
                "converted; write both in one currency",
            )
        return self


class Remedies(Strict):
    """How far the ladder of remedies may go."""

    last_resort: Literal["keep-going", "end-with-credit"] = Field(
        default="keep-going",
        description="when nothing helped and the error budget is used up: run on and owe the credit, or end with it",
    )


class WorkloadSpec(Strict):
    """The need. In the common case ten lines without a hardware word."""

    inference: InferenceWork | None = None
    training: JobWork | None = None
    finetuning: JobWork | None = None
    batch: JobWork | None = None
    agent: JobWork | None = None
    command: JobWork | None = None
    load: Load | None = None
    objectives: Objectives | None = None
    assurance: Assurance | None = None
    residency: Residency | None = None
    term: Term = Field(default_factory=Term)
    budget: Budget | None = None
    power: Power | None = Field(default=None, description="the most watts it may draw")
    preference: Literal["cost", "power", "speed"] = "speed"
    site: str | None = Field(default=None, description="preferred site")
    acceptance: Literal["auto", "manual"] = "manual"
    accepted_offer: str | None = None
    guarantee: Literal["guaranteed", "burstable", "spot"] = Field(
        default="guaranteed",
        alias="class",
        description="guaranteed: measured beside busy neighbours, and with a reserve where objectives.availability is "
        "asked; burstable: measured beside quiet ones, without a reserve; spot: not offered yet",
    )
    isolation: Literal["dedicated", "shared"] = "dedicated"
    resources: ResourceRequest | None = None
    topology: TopologyRules | None = None
    remedies: Remedies | None = None
    run: Run | None = None
    cel_rules = (
        CelRule(
            "[has(self.inference), has(self.training), has(self.finetuning), has(self.batch), has(self.agent), "
            "has(self.command)].filter(x, x).size() == 1",
            "name exactly one of inference, training, finetuning, batch, agent and command",
        ),
        CelRule("has(self.inference) || has(self.run)", "run says how the work is started"),
    )

    @property
    def work(self) -> str:
        """Which sort of work it is."""
        return next(name for name in WORK if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_work(self) -> "WorkloadSpec":
        named = [name for name in WORK if getattr(self, name) is not None]
        if len(named) != 1:
            said = " and ".join(named) or "none"
            raise violation("ExactlyOneOf", f"name exactly one of {', '.join(WORK)}; the manifest names {said}")
        if self.inference is None and self.run is None:
            raise violation("RunMissing", f"{named[0]} needs run: {{command: [...]}}, which says how it is started")
        if self.inference is not None:
            self._check_inference()
            self._check_window()
        return self

    def _check_window(self) -> None:
        window, length_ms = (self.assurance or Assurance()).window, self.term.length_ms
        if length_ms is not None and window.ms > length_ms:
            raise violation(
                "InvalidWindow",
                f"a window of {window} is longer than the term, so none would ever be judged; "
                "name a shorter assurance.window, or a longer term",
            )

    def _check_inference(self) -> None:
        objectives = self.objectives
        if objectives is None or not (
            objectives.latencies()
            or objectives.output_tokens_per_second
            or objectives.requests_per_second
            or objectives.availability
        ):
            raise violation(
                "ObjectiveMissing",
                "inference needs an objective, for example objectives: {timeToFirstToken: {p95: 1s}}",
            )
        if self.load is None and not (objectives.output_tokens_per_second or objectives.requests_per_second):
            raise violation(
                "LoadMissing",
                "a latency is promised under a load: name "
                "load: {requestsPerSecond: 0.25, promptTokens: 50, outputTokens: 40}",
            )
        for name in ("samples_per_second", "step_time", "completion", "start_latency"):
            if getattr(objectives, name) is not None:
                raise violation("ObjectiveNotApplicable", f"{name} does not apply to inference; leave it out")


class TrialMade(Strict):
    """A measurement beyond what an answer needed, made because its user wished for it."""

    need: str = Field(description="digest of the need that was measured")
    wish: str = Field(description="for how long, and when that was asked")


class WorkloadStatus(Status):
    """Where the need stands, and the answer."""

    phase: Literal["Pending", "Trialling", "Offered", "Contracted", "Running", "Succeeded", "Failed", "Refused"] = (
        "Pending"
    )
    answer: Answer | None = None
    trial: str | None = None
    trial_progress: str | None = None
    trial_made: TrialMade | None = Field(
        default=None, description="the last wish for a longer measurement that was met; it is not measured again"
    )
    contract: str | None = None
    endpoint: str | None = None
    ended: str | None = Field(default=None, description="digest of the need whose contract its user ended early")


class Workload(ApiObject):
    """What a developer writes: what must be achieved, under which load, where it may run and for how long."""

    kind: Literal["Workload"] = "Workload"
    spec: WorkloadSpec
    status: WorkloadStatus | None = None
    cel_rules = (
        CelRule("self.metadata.name.size() <= 63", "a Workload's name has at most 63 characters, as a label has"),
    )

    @field_validator("metadata")
    @classmethod
    def _labels_what_it_leads_to(cls, metadata: ObjectMeta) -> ObjectMeta:
        """Its offers and contracts bear its name as a label, and are named after it."""
        if len(metadata.name or "") > NAME_MAX or len(metadata.generate_name or "") > GENERATED_MAX:
            raise violation(
                "InvalidName",
                f"a Workload's name has at most {NAME_MAX} characters, a generateName {GENERATED_MAX}, since its "
                "offers and contracts bear it as a label; choose a shorter one",
            )
        return metadata


class InquirySpec(Strict):
    """The body of a Workload, asked about."""

    workload: WorkloadSpec
    time_to_live: Duration = Field(default_factory=lambda: Duration.parse("10m"))


class InquiryStatus(Status):
    """The answer, as quotes that hold nothing."""

    phase: Literal["Asked", "Answered"] = "Asked"
    answer: Answer | None = None
    expires_at: Instant | None = None


class Inquiry(ApiObject):
    """What would I get? The answer holds nothing and says so; the object deletes itself after its time to live."""

    kind: Literal["Inquiry"] = "Inquiry"
    spec: InquirySpec
    status: InquiryStatus | None = None
