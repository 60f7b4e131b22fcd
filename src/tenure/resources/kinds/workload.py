"""Workload and Inquiry: what a developer writes, and the question that holds nothing."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from tenure.quantities import Amount, Duration, Instant, Power
from tenure.resources.base import ApiObject, CelRule, ObjectMeta, Status, Strict, violation
from tenure.resources.kinds import rules
from tenure.resources.kinds.answer import Answer
from tenure.resources.kinds.members import ResourceRequest, TopologyRules
from tenure.resources.kinds.objectives import WINDOW_DEFAULT, Assurance, Load, Objectives, Residency, Term
from tenure.resources.kinds.work import InferenceWork, JobWork, Run

NAME_MAX = 63
GENERATED_MAX = 58
"""A host adds five characters to a generateName."""
WORK = ("inference", "training", "finetuning", "batch", "agent", "command")


class Budget(Strict):
    """Limits of money."""

    hourly_max: Amount | None = Field(
        default=None, description="the most that an hour may cost, the reserve included, in the currency of the prices"
    )
    total_max: Amount | None = Field(
        default=None,
        description="the most that the whole term may cost, the reserve included, in the currency of the prices",
    )
    cel_rules = rules.BUDGET

    @model_validator(mode="after")
    def _one_currency(self) -> "Budget":
        if self.hourly_max and self.total_max and self.hourly_max.currency != self.total_max.currency:
            raise violation(
                "CurrenciesDiffer",
                f"hourlyMax is in {self.hourly_max.currency} and totalMax in {self.total_max.currency}, and none is "
                "converted",
                "write both in one currency",
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

    inference: InferenceWork | None = Field(
        default=None, description="serve a model behind an endpoint; exactly one sort of work is named"
    )
    training: JobWork | None = Field(
        default=None, description="train a model by the command in run; exactly one sort of work is named"
    )
    finetuning: JobWork | None = Field(
        default=None, description="finetune a model by the command in run; exactly one sort of work is named"
    )
    batch: JobWork | None = Field(
        default=None, description="work through a batch by the command in run; exactly one sort of work is named"
    )
    agent: JobWork | None = Field(
        default=None, description="run an agent by the command in run; exactly one sort of work is named"
    )
    command: JobWork | None = Field(
        default=None,
        description="run the command in run, whatever it does; exactly one sort of work is named: command: {}",
    )
    load: Load | None = Field(
        default=None,
        description="the requests that arrive while the promises are owed; inference needs it, "
        "unless it asks for a rate alone",
    )
    objectives: Objectives | None = Field(
        default=None, description="what must be achieved; inference needs at least one objective"
    )
    assurance: Assurance | None = Field(
        default=None, description="how sure the objectives must be: window, share, confidence"
    )
    residency: Residency | None = Field(default=None, description="where it may run; absent: anywhere")
    term: Term = Field(default_factory=Term, description="for how long, and from when; absent: 24h from now")
    budget: Budget | None = Field(default=None, description="the most that it may cost; absent: no limit")
    power: Power | None = Field(
        default=None, description="the most watts it may draw; absent: no limit", examples=["700W"]
    )
    preference: Literal["cost", "power", "speed"] = Field(
        default="speed",
        description="by what offers that meet the need are ordered: speed (the most headroom first), "
        "cost or power (the least first)",
    )
    site: str | None = Field(
        default=None, description="name of the Site to run at; absent: the one that answers, and any other is refused"
    )
    acceptance: Literal["auto", "manual"] = Field(
        default="manual",
        description="manual: you accept an offer (`tenure accept`); auto: the best offer that meets "
        "the need in full is accepted for you",
    )
    accepted_offer: str | None = Field(
        default=None, description="name of the Offer that is chosen; `tenure accept` writes it"
    )
    guarantee: Literal["guaranteed", "burstable", "spot"] = Field(
        default="guaranteed",
        alias="class",
        description="guaranteed: measured beside busy neighbours, and with a reserve where objectives.availability is "
        "asked; burstable: measured beside quiet ones, without a reserve; spot: not offered yet",
    )
    isolation: Literal["dedicated", "shared"] = Field(
        default="dedicated",
        description="dedicated: whole cores and devices that nobody else has; shared: not offered yet",
    )
    resources: ResourceRequest | None = Field(
        default=None,
        description="what each member takes; absent: Tenure chooses for inference, and one core for other work",
    )
    topology: TopologyRules | None = Field(
        default=None,
        description="what members or devices share, and over what they are spread; absent: any place will do",
    )
    remedies: Remedies | None = Field(
        default=None,
        description="how far Tenure may go when a promise breaks; absent: the work runs on, and the credit is owed",
    )
    run: Run | None = Field(default=None, description="how the work is started; all work but inference needs it")
    cel_rules = (
        CelRule(
            "[has(self.inference), has(self.training), has(self.finetuning), has(self.batch), has(self.agent), "
            "has(self.command)].filter(x, x).size() == 1",
            "name exactly one of inference, training, finetuning, batch, agent and command",
        ),
        CelRule("has(self.inference) || has(self.run)", "run says how the work is started"),
        *rules.INFERENCE,
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
            step = "leave all but one of them out" if named else "name one of them"
            raise violation("ExactlyOneOf", f"names {said} of {', '.join(WORK)}; exactly one is meant", step)
        if self.inference is None and self.run is None:
            raise violation("RunMissing", f"{named[0]} needs run: {{command: [...]}}, which says how it is started")
        if self.inference is not None:
            self._check_inference()
            self._check_window()
        return self

    def _check_window(self) -> None:
        length_ms = self.term.length_ms
        if length_ms is None:
            return
        window = self.assurance.window if self.assurance else WINDOW_DEFAULT
        if window.ms > length_ms:
            raise violation(
                "InvalidWindow",
                f"a window of {window} is longer than the term, so none would ever be judged",
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
                raise violation("ObjectiveNotApplicable", f"{name} does not apply to inference", "leave it out")


class TrialMade(Strict):
    """A measurement beyond what an answer needed, made because its user wished for it."""

    need: str = Field(description="digest of the need that was measured")
    wish: str = Field(description="for how long, and when that was asked")


class WorkloadStatus(Status):
    """Where the need stands, and the answer."""

    phase: Literal["Pending", "Trialling", "Offered", "Contracted", "Running", "Succeeded", "Failed", "Refused"] = (
        Field(default="Pending", description="where the need stands")
    )
    answer: Answer | None = Field(
        default=None,
        description="what Tenure says to it: offers, counter-offers, a refusal, or the trial that it takes",
    )
    trial: str | None = Field(
        default=None, description="name of the Offer that is the hold of its trial, while one runs"
    )
    trial_progress: str | None = Field(default=None, description="how far its trial is, in words, while one runs")
    trial_made: TrialMade | None = Field(
        default=None, description="the last wish for a longer measurement that was met; it is not measured again"
    )
    contract: str | None = Field(
        default=None, description="name of its Contract; where one renews another, of that which runs"
    )
    endpoint: str | None = Field(
        default=None,
        description="where it is served, of inference that is Active",
        examples=["http://127.0.0.1:8001/v1"],
    )
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
                "offers and contracts bear it as a label",
                "choose a shorter one",
            )
        return metadata


class InquirySpec(Strict):
    """The body of a Workload, asked about."""

    workload: WorkloadSpec = Field(description="the need that is asked about, as a Workload's spec has it")
    time_to_live: Duration = Field(
        default_factory=lambda: Duration.parse("10m"),
        description="how long the question and its answer are kept, from its creation on; default 10m",
        examples=["10m"],
    )


class InquiryStatus(Status):
    """The answer, as quotes that hold nothing."""

    phase: Literal["Asked", "Answered"] = Field(default="Asked", description="whether it was answered")
    answer: Answer | None = Field(default=None, description="what Tenure says to it; its quotes hold nothing")
    expires_at: Instant | None = Field(default=None, description="when it deletes itself")


class Inquiry(ApiObject):
    """What would I get? The answer holds nothing and says so; the object deletes itself after its time to live."""

    kind: Literal["Inquiry"] = "Inquiry"
    spec: InquirySpec
    status: InquiryStatus | None = None
