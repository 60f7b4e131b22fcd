"""A need as users have it at hand: a Workload, a mapping, a file; and what an endpoint is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.quantities import Duration
from tenure.resources import Contract, Inquiry, ObjectMeta, Secret, Workload
from tenure.resources.documents import SIZE_BYTES_MAX, Document, decode, parse_documents, too_large
from tenure.resources.group import API_VERSION
from tenure.resources.kinds.workload import InquirySpec
from tenure.resources.problems import Problem, ProblemsFound
from tenure.sdk.outcomes import ContractOver, NoEndpoint, is_scheduled

Need = Workload | Mapping[str, Any] | str | Path
Progress = Callable[[str], None]
KEY_IN_SECRET = "OPENAI_API_KEY"  # as the contract's controller writes it


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a contract is served, and with which key; in OpenAI's protocol for inference."""

    base_url: str
    api_key: str
    model: str | None = None

    def environment(self) -> dict[str, str]:
        """The variables that OpenAI's clients read."""
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": self.api_key}


def workload_of(need: Need) -> Workload:
    """The Workload that a need describes: itself, its JSON, or the only document of a file.

    A mapping without apiVersion is taken as {name: ..., **spec}. Raises ProblemsFound, OSError.
    """
    if isinstance(need, Workload):
        return need
    if isinstance(need, Mapping):
        decoded = decode(Document(_whole(need), source="request"))
    else:
        path = Path(need)
        size = path.stat().st_size
        if size > SIZE_BYTES_MAX:
            raise ProblemsFound([too_large(size, str(path))])
        documents = parse_documents(path.read_bytes(), source=str(path))
        if len(documents) != 1:
            message = f"{len(documents)} documents, one Workload is meant"
            raise ProblemsFound([Problem("InvalidValue", message, next_step="keep one", source=str(path))])
        decoded = decode(documents[0])
    if not isinstance(decoded, Workload):
        message = f"a Workload is meant, not a {decoded.kind}"
        raise ProblemsFound([Problem("UnknownKind", message, "kind", "write kind: Workload")])
    if decoded.metadata.name is None:
        raise ProblemsFound([Problem("MissingField", "is required", "metadata.name", "write metadata: {name: ...}")])
    return decoded


def stated(current: Workload, wanted: Workload) -> Workload | None:
    """`current` with the need that is wanted; None where it says so already. An acceptance of the same need stands."""
    spec, accepted = wanted.spec, current.spec.accepted_offer
    if spec.accepted_offer is None and accepted is not None:
        same = current.spec.model_copy(update={"accepted_offer": None}) == spec
        spec = spec.model_copy(update={"accepted_offer": accepted}) if same else spec
    labels = {**(current.metadata.labels or {}), **(wanted.metadata.labels or {})} or None
    annotations = {**(current.metadata.annotations or {}), **(wanted.metadata.annotations or {})} or None
    metadata = current.metadata.model_copy(update={"labels": labels, "annotations": annotations})
    if spec == current.spec and metadata == current.metadata:
        return None
    return current.model_copy(update={"spec": spec, "metadata": metadata})


def placed(workload: Workload, namespace: str) -> Workload:
    """The Workload in this namespace unless it names one."""
    if workload.namespace:
        return workload
    return workload.model_copy(update={"metadata": workload.metadata.model_copy(update={"namespace": namespace})})


def inquiry_of(workload: Workload, namespace: str, time_to_live: str = "10m") -> Inquiry:
    """The question that a Workload's body is, under a name of its own."""
    return Inquiry(
        metadata=ObjectMeta(generate_name=f"{workload.metadata.name or 'ask'}-", namespace=namespace),
        spec=InquirySpec(
            workload=workload.spec.model_copy(update={"accepted_offer": None}),
            time_to_live=Duration.parse(time_to_live),
        ),
    )


def endpoint_from(contract: Contract, secret: Secret) -> Endpoint:
    """The endpoint of an Active contract. Raises NoEndpoint."""
    address = address_of(contract)
    if KEY_IN_SECRET not in secret.data:
        raise NoEndpoint(f"Secret {secret.name} holds no key", reason="ReferenceNotFound")
    inference = contract.spec.body.inference
    return Endpoint(address, secret.text(KEY_IN_SECRET), inference.model if inference else None)


def address_of(contract: Contract) -> str:
    """Where the contract is served. Raises NoEndpoint, ContractOver."""
    status = contract.status
    phase = status.phase if status else "Proposed"
    if phase in ("Ending", "Ended"):
        raise ContractOver(f"contract {contract.name} is over")
    if phase != "Active" and contract.spec.body.inference is not None:
        reason = "Scheduled" if is_scheduled(contract) else "Commissioning"
        step = f"`tenure wait contract/{contract.name} --for=condition=Ready`, then ask again"
        raise NoEndpoint(f"contract {contract.name} is {phase} and serves no endpoint yet", reason=reason, step=step)
    if status is None or not status.endpoint or not status.credential:
        raise NoEndpoint(f"contract {contract.name} serves no endpoint")
    return status.endpoint


def _whole(need: Mapping[str, Any]) -> dict[str, Any]:
    if "apiVersion" in need or "kind" in need:
        return dict(need)
    spec = dict(need)
    metadata = {key: spec.pop(key) for key in ("name", "namespace") if key in spec}
    return {"apiVersion": API_VERSION, "kind": "Workload", "metadata": metadata, "spec": spec}
