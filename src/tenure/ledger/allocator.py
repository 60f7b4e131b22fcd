"""The allocator: decide, propose, swap, mark. Requests that wait together share one commit.

The commit is one compare-and-swap on the Site: generation g becomes g+1 and lastBatch becomes the operations.
Everything before it does not count and everything after it is a mark.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenure.client import AlreadyExists, ApiError, AsyncClient, Conflict, NotFound, Unreachable
from tenure.ledger.batch import decide_in_turn, operations_of, planned_at, record_of
from tenure.ledger.collect import discard, is_proposed
from tenure.ledger.decision import Decision, DecisionFunction, Refused
from tenure.ledger.marks import complete_marks
from tenure.ledger.memory import FleetOf, Memory, counts_alike, ledger_of, read_memory
from tenure.ledger.records import View, on_its_host
from tenure.ledger.standing import find_gone, unless_gone
from tenure.ledger.totals import Totals
from tenure.quantities import Clock, Instant
from tenure.resources import ApiObject, Contract, Offer, Site
from tenure.resources.kinds.site import LedgerStatus, Operation, SiteStatus

REQUESTS_PER_COMMIT_MAX = 64
ATTEMPTS_MAX = 16


@dataclass(frozen=True, slots=True)
class Commit:
    """What became of one decision: the generation it was committed at and the objects created, or why nothing was."""

    generation: int
    offers: Sequence[Offer] = ()
    contracts: Sequence[Contract] = ()
    refused: Refused | None = None
    answer: Any = None


class _UndecidedError(Exception):
    """Of that name something is proposed at this generation, which whoever proposed it may be about to commit."""


@dataclass(slots=True)
class _Request:
    decide: DecisionFunction
    stands_on: Sequence[ApiObject]
    done: asyncio.Future[Commit]


class Allocator:
    """The one door to capacity of one site. Safe beside any number of other allocators.

    `machine`: the one machine that the site is, whatever else it was called (`records.on_its_host`).
    """

    def __init__(
        self, client: AsyncClient, site: str, clock: Clock, fleet_of: FleetOf, machine: str | None = None
    ) -> None:
        self._client = client
        self._site = site
        self._clock = clock
        self._fleet_of = fleet_of
        self._machine = machine
        self._memory: Memory | None = None
        self._totals = Totals()
        self._waiting: list[_Request] = []
        self._turn = asyncio.Lock()

    async def recover(self) -> Memory:
        """Complete what a crash may have left: the marks of the last batch, and proposals that never counted."""
        async with self._turn:
            self._memory = None
            return await self._current()

    async def look(self) -> Memory:
        """The ledger as of its newest commit, for questions that hold nothing. It may be older when it is used.

        Where it had to be read anew it may write the Site's totals (`_told`), of another's site too: they follow from
        what everybody reads, so whoever reads first says them.
        """
        async with self._turn:
            return await self._current()

    async def settle(self, generation: int) -> Memory:
        """The ledger at a generation later than this one: what was proposed at it counts by now, or is collected.

        Where nothing was committed since, nothing is: an empty batch, so that whoever proposed has to plan again.
        """
        async with self._turn:
            for _ in range(ATTEMPTS_MAX):
                memory = await self._current()
                if memory.generation > generation:
                    return memory
                await self._pass_over(memory)
            raise Conflict(f"site {self._site} stays at generation {generation}")

    async def decide(self, decide: DecisionFunction, stands_on: Sequence[ApiObject] = ()) -> Commit:
        """Commit what `decide` wants of the next generation, or return its refusal.

        `decide(view, fleet, now_ms)` is pure and may be called several times. `stands_on` are the objects, as read,
        that it was made from: while one of them is gone or being deleted nothing is committed (`standing`). Raises the
        client's errors when the host is out of reach; then nothing is known to be committed, and asking again is safe.
        """
        request = _Request(decide, stands_on, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        async with self._turn:
            if not request.done.done():
                batch, self._waiting = (
                    self._waiting[:REQUESTS_PER_COMMIT_MAX],
                    self._waiting[REQUESTS_PER_COMMIT_MAX:],
                )
                await self._commit(batch)
        return await request.done

    async def _commit(self, requests: list[_Request]) -> None:
        try:
            for _ in range(ATTEMPTS_MAX):
                if await self._try_commit(requests):
                    return
            raise Conflict(f"site {self._site}: other allocators committed {ATTEMPTS_MAX} times in between")
        except BaseException as error:
            self._memory = None
            for request in requests:
                if not request.done.done():
                    request.done.set_exception(error)
                    request.done.exception()  # every caller reads its own; none is "never retrieved"
            if not isinstance(error, Exception):
                raise

    async def _try_commit(self, requests: list[_Request]) -> bool:
        memory = await self._current()
        gone = await find_gone(self._client, (obj for request in requests for obj in request.stands_on))
        decides = [unless_gone(request.decide, request.stands_on, gone) for request in requests]
        decisions = decide_in_turn(decides, memory, self._clock.now_ms())
        if all(decision.refused for decision in decisions):
            _resolve(requests, decisions, memory.generation, [])
            return True
        try:
            created = await self._propose(decisions, memory.generation)
        except _UndecidedError:
            await self._pass_over(memory)
            return False
        except AlreadyExists:
            if ledger_of(await self._client.get(Site, self._site)).generation == memory.generation:
                raise
            self._memory = None  # it came to be by a commit since our memory was read
            return False
        operations = [op for group, made in zip(decisions, created, strict=True) for op in operations_of(group, made)]
        proposed = [on_its_host(record_of(obj), memory.machine) for made in created for obj in made]
        view = memory.view.after(operations, proposed)
        swapped = await self._swap(memory, operations, view)
        if swapped:
            await self._remember(replace(memory, site=swapped, view=view), operations)
        else:
            self._memory = None  # what was proposed is collected when the ledger is read next
            if not await self._came_to_count([obj for made in created for obj in made]):
                return False
        _resolve(requests, decisions, memory.generation + 1, created)
        return True

    async def _pass_over(self, memory: Memory) -> None:
        """Move the generation and nothing else: what is proposed at this one is committed before that, or never."""
        await self._swap(memory, [], memory.view)
        self._memory = None

    async def _came_to_count(self, created: Sequence[Offer | Contract]) -> bool:
        """Whether a swap that seemed to fail was made: its answer was lost, and others have committed since.

        They completed its marks before they did, so that what counts cannot still be Proposed.
        """
        for obj in created:
            try:
                found = await self._client.get(type(obj), obj.name, namespace=obj.namespace)
            except NotFound:
                continue
            if found.uid == obj.uid and not is_proposed(found):
                return True
        return False

    async def _current(self) -> Memory:
        site = await self._client.get(Site, self._site)
        # A site whose declared budgets changed, or that is deleted, is another fleet, although no generation moved.
        known = self._memory is not None and counts_alike(self._memory.site, site)
        if self._memory is not None and known and self._memory.generation == ledger_of(site).generation:
            self._memory = replace(self._memory, site=site)
        else:
            read = await read_memory(self._client, self._site, self._clock, self._fleet_of, self._machine)
            self._memory = await self._told(read)
        return self._memory

    async def _told(self, memory: Memory) -> Memory:
        """The Site says what is sold and held where it said otherwise: capacity changed, or it never did.

        For people alone, so that a host that takes no writes answers questions all the same.
        """
        before = memory.site.status or SiteStatus()
        status = before.model_copy(update=self._totals.of(memory.fleet, memory.view))
        if status == before:
            return memory
        try:
            return replace(
                memory, site=await self._client.replace_status(memory.site.model_copy(update={"status": status}))
            )
        except ApiError:
            return memory  # whoever was faster, or commits next, says it

    async def _propose(self, decisions: Sequence[Decision], generation: int) -> list[list[Offer | Contract]]:
        """Create the objects first, in phase Proposed, which does not count."""
        return [
            [await self._create(planned_at(wanted, generation)) for wanted in decision.proposed]
            for decision in decisions
        ]

    async def _create(self, wanted: Offer | Contract) -> Offer | Contract:
        try:
            return await self._client.create(wanted)
        except AlreadyExists:
            # The name follows from what it answers: an earlier try left it, or another allocator answers the same.
            try:
                left = await self._client.get(type(wanted), wanted.name, namespace=wanted.namespace)
            except NotFound:
                raise _UndecidedError from None
            if not is_proposed(left):
                raise
            if left.spec.planned_generation >= wanted.spec.planned_generation:
                raise _UndecidedError from None
        await discard(self._client, left)
        try:
            return await self._client.create(wanted)
        except AlreadyExists:
            raise _UndecidedError from None

    async def _swap(self, memory: Memory, operations: list[Operation], after: View) -> Site | None:
        """The commit itself. None when another allocator committed first."""
        site, totals = memory.site, self._totals.of(memory.fleet, after)
        for _ in range(ATTEMPTS_MAX):
            ledger = LedgerStatus(
                generation=memory.generation + 1,
                last_batch=operations,
                committed_at=Instant(self._clock.now_ms()),
            )
            status = (site.status or SiteStatus()).model_copy(update={"ledger": ledger, **totals})
            try:
                return await self._client.replace_status(site.model_copy(update={"status": status}))
            except (Conflict, Unreachable) as error:
                if isinstance(error, Unreachable) and not error.sent:
                    raise
                site = await self._client.get(Site, self._site)
                current = ledger_of(site)
                if current.last_batch == operations and current.generation == memory.generation + 1:
                    return site  # the answer was lost, the commit was not
                if current.generation != memory.generation or not counts_alike(site, memory.site):
                    return None  # the plan was made on other holds, or under other budgets
                # Somebody wrote another part of the Site: the plan stands, the version moved.
        raise Conflict(f"site {self._site} kept changing while it was committed to")

    async def _remember(self, memory: Memory, operations: list[Operation]) -> None:
        self._memory = memory
        all_there = await complete_marks(self._client, operations, self._clock)
        if any(operation.operation == "Capacity" for operation in operations):
            self._memory = None  # the fleet is read anew
        if memory.undecided or not all_there:
            self._memory = None  # read anew, so that what never counted is collected and what is gone counts no more


def _resolve(
    requests: Sequence[_Request],
    decisions: Sequence[Decision],
    generation: int,
    created: Sequence[Sequence[Offer | Contract]],
) -> None:
    for index, (request, decision) in enumerate(zip(requests, decisions, strict=True)):
        made = created[index] if index < len(created) else ()
        commit = Commit(
            generation=generation,
            offers=[obj for obj in made if isinstance(obj, Offer)],
            contracts=[obj for obj in made if isinstance(obj, Contract)],
            refused=decision.refused,
            answer=decision.answer,
        )
        if not request.done.done():
            request.done.set_result(commit)
