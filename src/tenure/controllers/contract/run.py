"""The run behind a contract: what its engine is asked to start, once. Afterwards its own record says what runs."""

import asyncio
import base64
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tenure.client import AlreadyExists, NotFound
from tenure.controllers.answering.gather import Missing, find_subject
from tenure.controllers.answering.measured import RunShape
from tenure.controllers.answering.need import need_of
from tenure.controllers.answering.secrets import secret_text
from tenure.controllers.plane import Plane
from tenure.controllers.serving import (
    MissingReferenceError,
    ProberPlan,
    ServingError,
    ServingKeys,
    command_spec,
    endpoint_at,
    place_of,
    served_spec,
)
from tenure.engines import RunSpec, RunState
from tenure.engines.simulated import ARGV
from tenure.measurement import Endpoint
from tenure.resources import Contract, Machine, ObjectMeta, Secret, kind_of
from tenure.resources.base import OwnerReference
from tenure.resources.kinds.work import EnvVar
from tenure.runtimes import launch_command

PYTHON = "{python}"
"""A word of a command that stands for the Python that Tenure itself runs on, where its own jobs can be imported."""
USER_KEY = "OPENAI_API_KEY"
KEYS_FOLDER = "serving"


async def spec_of_contract(plane: Plane, contract: Contract) -> RunSpec:
    """What the engine runs for this contract. Raises ServingError when something that it needs is missing."""
    if plane.simulated:
        return simulated_spec(contract)
    topology = await plane.topology(contract.spec.machine)
    place = place_of(contract.spec.hold.claims[0], topology, plane.system_cpus)
    common: dict[str, Any] = {
        "run_id": contract.spec.hold.id,
        "namespace": contract.namespace or "default",
        "name": contract.name,
        "place": place,
        "end_ms": int(contract.spec.term.end),
    }
    if contract.spec.body.inference is None:
        return await _command(plane, contract, common)
    need = need_of(contract.spec.body, int(contract.spec.term.start))
    machine = await plane.client.get(Machine, contract.spec.machine)
    subject = await find_subject(plane, need, machine)
    if isinstance(subject, Missing):
        raise ServingError(subject.message)
    assert contract.spec.shape is not None, "a contract over inference has a shape"
    shape = RunShape(contract.spec.shape.threads, contract.spec.shape.slots)
    launch = await asyncio.to_thread(subject.launch, shape, sys.executable)
    rate = contract.spec.promises.probes_per_second
    prober = ProberPlan(subject.model.name, subject.load, rate.per_second, shape.slots) if rate else None
    return served_spec(launch=launch, keys=await keys_of(plane, contract), prober=prober, **common)


def simulated_spec(contract: Contract) -> RunSpec:
    """What the engine of a simulated fleet records for this contract: all of it is the contract's own word."""
    return RunSpec(
        run_id=contract.spec.hold.id,
        namespace=contract.namespace or "default",
        name=contract.name,
        argv=ARGV,
        end_ms=int(contract.spec.term.end),
    )


async def _command(plane: Plane, contract: Contract, common: dict[str, Any]) -> RunSpec:
    run = contract.spec.body.run
    assert run is not None, "work that is no inference says how it runs"
    env = {variable.name: await _value(plane, contract, variable) for variable in run.env}
    launch = launch_command(
        [sys.executable if word == PYTHON else word for word in run.command],
        env=env,
        files={file.path: (file.content.encode(), 0o600) for file in run.files},
        ports={str(port): port for port in run.ports},
    )
    return command_spec(launch=launch, restart=run.restart, **common)


async def _value(plane: Plane, contract: Contract, variable: EnvVar) -> str:
    if variable.secret is None:
        return variable.value or ""
    try:
        return await secret_text(plane, variable.secret, contract.namespace)
    except LookupError as error:
        raise MissingReferenceError(f"run.env.{variable.name}: {error.args[0]}") from None


def secret_name(contract: Contract) -> str:
    """The Secret that holds the contract's keys; it goes with its contract."""
    return f"{contract.name}-key"


async def keys_of(plane: Plane, contract: Contract) -> ServingKeys:
    """The contract's keys, made once. Its user's is in a Secret; the others stay in the control plane's own files."""
    keys = await asyncio.to_thread(_keys_on_disk, plane.home / KEYS_FOLDER, contract.uid)
    kind = kind_of(Contract)
    owner = OwnerReference(api_version=kind.api_version, kind=kind.kind, name=contract.name, uid=contract.uid)
    secret = Secret(
        metadata=ObjectMeta(name=secret_name(contract), namespace=contract.namespace, owner_references=[owner]),
        data={USER_KEY: base64.b64encode(keys.user.encode()).decode()},
    )
    try:
        await plane.client.get(Secret, secret.name, namespace=contract.namespace)
    except NotFound:
        with suppress(AlreadyExists):
            await plane.client.create(secret)
    return keys


def _keys_on_disk(folder: Path, uid: str) -> ServingKeys:
    """Read them, or make them: written whole, for their owner alone, before anything uses them."""
    file = folder / f"{uid}.json"
    try:
        return ServingKeys(**json.loads(file.read_text()))
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = ServingKeys.fresh()
    partial = file.with_suffix(".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump({"user": fresh.user, "prober": fresh.prober, "mac_key": fresh.mac_key}, out)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)
    return fresh


async def endpoint_of(plane: Plane, contract: Contract, state: RunState, *, prober: bool = False) -> Endpoint:
    """The contract's endpoint with its user's key, or the prober's."""
    keys = await keys_of(plane, contract)
    assert contract.spec.body.inference is not None
    return endpoint_at(state, contract.spec.body.inference.model, keys.prober if prober else keys.user)
