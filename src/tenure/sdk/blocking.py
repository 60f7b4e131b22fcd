# Generated from aio.py beside it by `make generate`: change that one.
"""The blocking client: the verbs of the door, and the few steps from a need to an endpoint."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from tenure.client import (
    AlreadyExists,
    ApiError,
    Conflict,
    Connection,
    ConnectionSource,
    NotFound,
    WaitTimeout,
    source_named,
)
from tenure.client import Client as Door
from tenure.quantities import SystemClock
from tenure.resources import Contract, Inquiry, Offer, Secret, Workload
from tenure.resources.kinds.answer import Answer, Quote
from tenure.sdk.needs import (
    Endpoint,
    Need,
    Progress,
    address_of,
    endpoint_from,
    inquiry_of,
    placed,
    stated,
    workload_of,
)
from tenure.sdk.outcomes import (
    NotAccepted,
    acceptance_refused,
    blocked,
    blocked_by,
    contract_words,
    inquiry_blocked,
    is_scheduled,
    keeps_failing,
    not_active,
    offer_name,
    standing_of,
    why_not_acceptable,
)

LOOK_SECONDS = 1.0
FAILING_SECONDS_BORNE = 2.0
"""A fault is said once it lasted 1.5 s; what was said before an acceptance is taken back by then, where it is over."""
ATTEMPTS = 5


class Client(Door):
    """One host, and what a developer does with it: ask, request, accept, call.

    Every verb of `tenure.client.Client` is here too. Raises its errors, `ProblemsFound` for a need that is none,
    and `SdkError` where something came out otherwise than wanted.
    """

    def __init__(
        self,
        source: Connection | ConnectionSource | None = None,
        *,
        home: str | Path | None = None,
        kubeconfig: str | Path | None = None,
        context: str | None = None,
        namespace: str | None = None,
    ) -> None:
        """The host of `source`, else of a kubeconfig where one or a context is named, else of `home` or TENURE_HOME."""
        super().__init__(source or source_named(home, kubeconfig, context))
        self._namespace = namespace

    def __enter__(self) -> Self:
        return self

    @property
    def namespace(self) -> str:
        """The namespace used where none is named."""
        return self._namespace or super().namespace

    def ask(self, need: Need, *, timeout_seconds: float = 30) -> Answer:
        """What would be offered; holds nothing and leaves nothing. Raises WaitTimeout, SdkError without a reference."""
        workload = workload_of(need)
        namespace = workload.namespace or self.namespace
        asked = self.create(inquiry_of(workload, namespace))
        try:
            return self._answered(asked, timeout_seconds)
        finally:
            with suppress(ApiError):  # else it ends by itself, ten minutes after it was made
                self.delete(Inquiry, asked.name, namespace=namespace, uid=asked.uid)

    def _answered(self, asked: Inquiry, timeout_seconds: float) -> Answer:
        answered = self.wait_for(
            Inquiry,
            asked.name,
            lambda inquiry: bool(inquiry.status and (inquiry.status.answer or inquiry_blocked(inquiry))),
            namespace=asked.namespace,
            timeout_seconds=timeout_seconds,
            wanted="answered",
        )
        assert answered.status is not None, "waited for"
        if answered.status.answer is not None:
            return answered.status.answer
        why = inquiry_blocked(answered)
        assert why is not None, "waited for"
        raise blocked_by(why)

    def request(
        self, need: Need, *, timeout_seconds: float = 900, progress: Progress | None = None, patient: bool = False
    ) -> Workload:
        """State the need and wait for its answer, which is in `.status.answer` and may be no.

        `progress` is told how far it is. `patient`: a missing reference is waited for, not raised as NothingToAccept.
        Raises WaitTimeout.
        """
        wanted = placed(workload_of(need), self.namespace)
        return self.wait_answered(
            self._state(wanted), timeout_seconds=timeout_seconds, progress=progress, patient=patient
        )

    def wait_answered(
        self,
        workload: Workload,
        *,
        timeout_seconds: float = 900,
        progress: Progress | None = None,
        patient: bool = False,
    ) -> Workload:
        """The Workload once its need, as it is now, is answered. See `request`."""
        tell = progress or (lambda _: None)
        wanted_generation = workload.metadata.generation or 0

        def answered(seen: Workload) -> bool:
            if (seen.metadata.generation or 0) < wanted_generation:
                return False
            standing = standing_of(seen)
            tell(standing.words)
            if standing.state == "blocked" and not patient:
                raise blocked(standing)
            return standing.state == "answered"

        return self.wait_for(
            Workload,
            workload.name,
            answered,
            namespace=workload.namespace,
            timeout_seconds=timeout_seconds,
            wanted="answered",
        )

    def accept(
        self,
        offer: Offer | Quote | str,
        *,
        namespace: str | None = None,
        wait: bool = True,
        timeout_seconds: float = 900,
        progress: Progress | None = None,
    ) -> Contract:
        """Accept a held offer; returns its contract, Active unless `wait` is False or it is scheduled for later.

        Raises NotAccepted where the offer is gone, CommissioningFailed with the contract and its figures, WaitTimeout,
        and SdkError (`ReconcileFailed`) where the control plane keeps failing on it.
        """
        name, where = offer_name(offer), namespace or getattr(offer, "namespace", None) or self.namespace
        held = self._acceptable(name, where)
        workload = self.get(Workload, held.spec.workload.name, namespace=where)
        chosen = self.patch(Workload, workload.name, {"spec": {"acceptedOffer": name}}, namespace=where)
        contract = self._accepted(chosen, name, timeout_seconds, progress)
        if not wait:
            return contract
        return self.wait_active(contract, timeout_seconds=timeout_seconds, progress=progress)

    def wait_active(
        self, contract: Contract, *, timeout_seconds: float = 900, progress: Progress | None = None
    ) -> Contract:
        """The contract once it is Active, or at once when it starts later. Raises CommissioningFailed, ContractOver,
        and SdkError (`ReconcileFailed`) where the control plane keeps failing on it."""
        tell = progress or (lambda _: None)

        def settled(seen: Contract) -> bool:
            tell(contract_words(seen))
            over = not_active(seen)
            if over is not None:
                raise over
            if is_scheduled(seen) or (seen.status and seen.status.phase == "Active"):
                return True
            failing = keeps_failing(seen)
            if failing is not None:
                raise failing
            return False

        return self.wait_for(
            Contract,
            contract.name,
            settled,
            namespace=contract.namespace,
            timeout_seconds=timeout_seconds,
            wanted="Active",
        )

    def endpoint(self, contract: Contract) -> Endpoint:
        """Base URL and key of an Active contract. Raises NoEndpoint, ContractOver."""
        fresh = self.get(Contract, contract.name, namespace=contract.namespace)
        address_of(fresh)
        assert fresh.status is not None, "it has an address"
        secret = self.get(Secret, fresh.status.credential or "", namespace=contract.namespace)
        return endpoint_from(fresh, secret)

    def end(self, contract: Contract, *, wait: bool = True, timeout_seconds: float = 120) -> None:
        """End a contract before its term; returns once its processes are gone and its hold is released."""
        self.delete(Contract, contract.name, namespace=contract.namespace, uid=contract.uid)
        if wait:
            self.wait_deleted(Contract, contract.name, namespace=contract.namespace, timeout_seconds=timeout_seconds)

    def _state(self, wanted: Workload) -> Workload:
        """Create the Workload, or bring the one there is to the need that is wanted."""
        for attempt in range(ATTEMPTS):
            try:
                current = self.get(Workload, wanted.name, namespace=wanted.namespace)
                changed = stated(current, wanted)
                return current if changed is None else self.replace(changed)
            except NotFound:
                with suppress(AlreadyExists):
                    return self.create(wanted)
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
        raise Conflict(f"workload {wanted.name} kept changing")

    def _acceptable(self, name: str, namespace: str) -> Offer:
        try:
            held = self.get(Offer, name, namespace=namespace)
        except NotFound:
            raise NotAccepted(f"no offer {name} in {namespace}", reason="OfferNotFound") from None
        refused = why_not_acceptable(held, SystemClock().now_ms())
        if refused is not None:
            raise refused
        return held

    def _accepted(self, chosen: Workload, offer: str, timeout_seconds: float, progress: Progress | None) -> Contract:
        """The contract of an acceptance that was asked for. Its name follows from the offer's."""
        namespace, since = chosen.namespace or self.namespace, chosen.metadata.generation or 0
        begun = time.monotonic()
        while True:
            found = self._contract_of(offer, namespace)
            if found is not None:
                return found
            if progress is not None:
                progress("accepting")
            passed = time.monotonic() - begun
            left = min(LOOK_SECONDS, timeout_seconds - passed)
            if left <= 0:
                raise WaitTimeout(f"offer {offer} was not accepted within {timeout_seconds:g} s")
            seen = self.get(Workload, chosen.name, namespace=namespace)
            refused = acceptance_refused(seen, offer, since)
            if refused is not None:
                raise refused
            failing = keeps_failing(seen)
            if failing is not None and passed >= FAILING_SECONDS_BORNE:
                raise failing
            self._any_change(seen, left)

    def _contract_of(self, offer: str, namespace: str) -> Contract | None:
        try:
            found = self.get(Contract, offer, namespace=namespace)
        except NotFound:
            return None
        counts = found.status is not None and found.status.phase != "Proposed"
        return found if counts and found.spec.offer == offer else None

    def _any_change(self, workload: Workload, seconds: float) -> None:
        for _ in self.watch(
            Workload,
            namespace=workload.namespace,
            resource_version=workload.metadata.resource_version or "",
            field_selector=f"metadata.name={workload.name}",
            for_seconds=seconds,
        ):
            return
