"""A hand that does what the controllers do, at once: answers workloads, turns acceptances into contracts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tenure.cli.own.trial import TRIAL_FOR
from tenure.client import AlreadyExists, Client, NotFound
from tenure.resources import Contract, Inquiry, ObjectMeta, Offer, Secret, Workload
from tests.cli import answers
from tests.cli.host import Shell


@dataclass
class Hand:
    """Answers with `answer`; refuses acceptances with `refuse` (reason, message); ends contracts as `contract` says.

    `fails` (conditions of a Workload) is all that becomes of an acceptance.
    """

    client: Client
    namespace: str
    answer: Any = field(default_factory=answers.offers)
    refuse: tuple[str, str] | None = None
    fails: list[dict[str, Any]] | None = None
    contract: dict[str, Any] = field(default_factory=answers.active_status)
    trialled: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.wait(0.03):  # a look is two requests, in the process that is looked at
            for workload in self.client.list(Workload, namespace=self.namespace).items:
                self._workload(workload)
            for inquiry in self.client.list(Inquiry, namespace=self.namespace).items:
                if inquiry.status is None:
                    self._status(Inquiry, inquiry.name, {"phase": "Answered", "answer": self.answer.to_json()})

    def _workload(self, workload: Workload) -> None:
        generation = workload.metadata.generation
        status = workload.status
        if status and status.phase == "Trialling":
            said = {"phase": "Offered", "answer": self.answer.to_json(), "observedGeneration": generation}
            self._status(Workload, workload.name, said)
        elif TRIAL_FOR in (workload.metadata.annotations or {}) and workload.name not in self.trialled:
            self.trialled.add(workload.name)
            self._status(Workload, workload.name, {"phase": "Trialling", "answer": None})
        elif workload.spec.accepted_offer and not (status and status.contract):
            self._accept(workload)
        elif status is None or (status.observed_generation != generation and not workload.spec.accepted_offer):
            self._make_offers(workload)
            phase = {"Refusal": "Refused"}.get(self.answer.kind, "Offered")
            said = {"phase": phase, "answer": self.answer.to_json(), "observedGeneration": generation}
            self._status(Workload, workload.name, said)

    def _make_offers(self, workload: Workload) -> None:
        for quote in self.answer.quotes:
            try:
                offer = answers.offer_object(quote.offer, self.namespace, workload.name, uid=workload.uid)
                self.client.create(offer)
            except AlreadyExists:
                continue
            self._status(Offer, quote.offer, {"phase": "Held"})

    def _accept(self, workload: Workload) -> None:
        name = str(workload.spec.accepted_offer)
        if name in self.refused:
            return  # it stays in the spec until another is accepted
        if self.fails is not None:
            self.refused.add(name)
            self._status(Workload, workload.name, {"conditions": self.fails})
            return
        if self.refuse is not None:
            self.refused.add(name)
            reason, message = self.refuse
            said = {"type": "Accepted", "status": "False", "reason": reason, "message": message}
            since = {"lastTransitionTime": answers.NOW, "observedGeneration": workload.metadata.generation}
            self._status(Workload, workload.name, {"conditions": [{**said, **since}]})
            return
        try:
            self.client.create(answers.contract_object(name, self.namespace, workload.name))
        except AlreadyExists:
            return
        meta = ObjectMeta(name="chat-1-key", namespace=self.namespace)
        with suppress(AlreadyExists):
            self.client.create(Secret(metadata=meta, string_data={"OPENAI_API_KEY": "tk-1 '$x'"}))
        self._status(Contract, name, self.contract)
        self._status(
            Workload,
            workload.name,
            {"phase": "Running", "contract": name, "observedGeneration": workload.metadata.generation},
        )

    def _status(self, model: Any, name: str, status: dict[str, Any]) -> None:
        try:
            self.client.patch_status(model, name, {"status": status}, namespace=self.namespace)
        except NotFound:
            return


@contextmanager
def acting(shell: Shell, **wanted: Any) -> Iterator[Hand]:
    """The hand at work in this test's namespace."""
    with shell.controllers() as client:
        hand = Hand(client, shell.namespace, **wanted)
        thread = threading.Thread(target=hand.run, name="hand")
        thread.start()
        try:
            yield hand
        finally:
            hand.stop.set()
            thread.join(30)
