"""From a hold and what is served to a run of the engine, with the tap in front; used by trials and contracts alike.

What is measured in a trial is started in the same way as what is promised afterwards, through the same tap and beside
the same prober: whoever watches a contract also disturbs it a little, and the bound must carry that.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

from tenure.controllers.answering.measured import RunShape
from tenure.controllers.plane import Plane
from tenure.controllers.probing import metrics_map
from tenure.controllers.subject import Subject
from tenure.controllers.threads import to_its_end
from tenure.engines import (
    EngineFailure,
    File,
    HealthCheck,
    Restart,
    RestartPolicy,
    RunNotFound,
    RunSpec,
    RunState,
    Sidecar,
)
from tenure.measurement import Endpoint
from tenure.measurement.keys import mac_of, new_key
from tenure.promises import Load
from tenure.resources.kinds.allocation import Claim
from tenure.runtimes import Launch
from tenure.topology import MachineTopology

TAP_PORT = "tap"
TAP_FILE = "tap.json"
TAP_MARK_MS = 500
"""How often the tap says that it is there: a window is settled at the first mark behind its end."""
PROBER_FILE = "prober.json"
PROBER_KEY_FILE = "prober.key"
BACKEND_KEY_FILE = "backend.key"
BACKEND_VARIABLE = "TENURE_BACKEND_KEY"
HEALTHY_LOOK_SECONDS = 0.05
STOP_GRACE_MS = 1_000
"""From asking work to end at the end of its hold until it is killed: within the margin before the next hold starts."""


class ServingError(RuntimeError):
    """What is to be served could not be started or did not become healthy; the message says why."""


class MissingReferenceError(ServingError):
    """What it names is not there (yet): started as soon as it is."""


@dataclass(frozen=True, slots=True)
class ServingKeys:
    """The keys that open a tap: its user's and the prober's, and the key under which the tap knows their hashes."""

    user: str
    prober: str
    mac_key: str

    @property
    def backend(self) -> str:
        """The key between tap and server, so that nobody here gets past the tap. It follows from the rest."""
        return mac_of(self.mac_key, "backend")

    @classmethod
    def fresh(cls) -> "ServingKeys":
        """New random keys."""
        return cls(new_key(), new_key(), secrets.token_hex(32))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run goes: the logical CPUs of its cores, its memory, and the system's CPUs for what stands beside it."""

    cpus: tuple[int, ...]
    memory_nodes: tuple[int, ...]
    memory_bytes: int
    system_cpus: tuple[int, ...]


def place_of(claim: Claim, topology: MachineTopology, system_cpus: tuple[int, ...]) -> Place:
    """The place behind a claim; memory nodes are bound only where there are several to choose from."""
    several = len(topology.numa_nodes) > 1
    return Place(
        cpus=topology.cpus_of(claim.cores),
        memory_nodes=tuple(claim.memory_nodes) if several else (),
        memory_bytes=int(claim.memory),
        system_cpus=system_cpus,
    )


PROBER = Sidecar("prober", (sys.executable, "-m", "tenure.measurement.prober", "{work_dir}/" + PROBER_FILE))


@dataclass(frozen=True, slots=True)
class ProberPlan:
    """What the prober asks, how often, and how many requests the server answers at once."""

    model: str
    load: Load
    per_second: float
    slots: int

    def files(self, keys: ServingKeys, launch: Launch) -> dict[str, File]:
        """Its configuration, and its key in a file of its own."""
        document: dict[str, object] = {
            "baseUrl": "http://127.0.0.1:{port." + TAP_PORT + "}/v1",
            "model": self.model,
            "keyFile": "{work_dir}/" + PROBER_KEY_FILE,
            "perSecond": self.per_second,
            "promptTokens": self.load.prompt_tokens,
            "outputTokens": self.load.output_tokens,
            "journal": "{run_dir}/prober",
            "witness": "{run_dir}/journal",
            **self._metrics(launch),
        }
        return {PROBER_FILE: File(json.dumps(document).encode()), PROBER_KEY_FILE: File(keys.prober.encode())}

    def _metrics(self, launch: Launch) -> dict[str, object]:
        """The workload's own counters, read from the server itself: behind the tap, so that they can contradict it."""
        names = metrics_map(launch.metrics)
        if names is None or launch.metrics_port is None:
            return {}
        page = {
            "url": "http://127.0.0.1:{port." + launch.metrics_port + "}" + (launch.metrics_path or "/metrics"),
            "keyFile": "{work_dir}/" + BACKEND_KEY_FILE,
            "slots": self.slots,
            "outputTokens": names.output_tokens,
            "outputSeconds": names.output_seconds,
            "running": names.running,
        }
        return {"metrics": {name: value for name, value in page.items() if value is not None}}


def served_spec(
    *,
    run_id: str,
    namespace: str,
    name: str,
    launch: Launch,
    place: Place,
    keys: ServingKeys,
    end_ms: int,
    prober: ProberPlan | None = None,
) -> RunSpec:
    """A model server behind its tap, with the prober outside it where there is a budget for one."""
    tap = Sidecar("tap", (sys.executable, "-m", "tenure.measurement.tap", "{work_dir}/" + TAP_FILE))
    assert launch.endpoint_port is not None, "what is served has an endpoint"
    assert launch.health_port is not None, "what is served can be asked for its health"
    return RunSpec(
        run_id=run_id,
        namespace=namespace,
        name=name,
        argv=launch.argv,
        env={**launch.env, BACKEND_VARIABLE: keys.backend},
        files={
            BACKEND_KEY_FILE: File(keys.backend.encode()),
            **_files(launch),
            TAP_FILE: File(_tap_config(launch.endpoint_port, keys).encode()),
            **(prober.files(keys, launch) if prober else {}),
        },
        ports={**launch.ports, TAP_PORT: 0},
        cpus=place.cpus,
        system_cpus=place.system_cpus,
        memory_nodes=place.memory_nodes,
        memory_bytes=place.memory_bytes,
        restart=Restart(RestartPolicy.ALWAYS),
        end_ms=end_ms,
        sidecars=(tap, PROBER) if prober else (tap,),
        health=_health(launch.health_port, launch.health_path),
        stop_grace_ms=STOP_GRACE_MS,
    )


def _health(port: str, path: str | None) -> HealthCheck:
    """Asked through the tap, as users ask: a server whose tap does not listen yet answers nobody.

    Where a connection is all that can be asked, it is made to the server itself: the tap accepts them by itself.
    """
    return HealthCheck(port if path is None else TAP_PORT, path)


def command_spec(
    *, run_id: str, namespace: str, name: str, launch: Launch, place: Place, restart: str, end_ms: int
) -> RunSpec:
    """A command of the user's own."""
    policy = {"Always": RestartPolicy.ALWAYS, "OnFailure": RestartPolicy.ON_FAILURE, "Never": RestartPolicy.NEVER}
    return RunSpec(
        run_id=run_id,
        namespace=namespace,
        name=name,
        argv=launch.argv,
        env=launch.env,
        files=_files(launch),
        ports=launch.ports,
        cpus=place.cpus,
        system_cpus=place.system_cpus,
        memory_nodes=place.memory_nodes,
        memory_bytes=place.memory_bytes,
        restart=Restart(policy[restart]),
        end_ms=end_ms,
        stop_grace_ms=STOP_GRACE_MS,
    )


def _files(launch: Launch) -> Mapping[str, File]:
    return {path: File(content, mode) for path, (content, mode) in launch.files.items()}


def _tap_config(endpoint_port: str, keys: ServingKeys) -> str:
    """The tap's configuration; ports are marks that the engine fills in, keys are there only as keyed hashes."""
    document = {
        "listen": {"host": "127.0.0.1", "port": "@{port." + TAP_PORT + "}@"},
        "upstream": {
            "host": "127.0.0.1",
            "port": "@{port." + endpoint_port + "}@",
            "keyFile": "{work_dir}/" + BACKEND_KEY_FILE,
        },
        "journal": {"folder": "{run_dir}/journal"},
        "macKey": keys.mac_key,
        "markMs": TAP_MARK_MS,
        "keys": [
            {"role": "user", "mac": mac_of(keys.mac_key, keys.user)},
            {"role": "prober", "mac": mac_of(keys.mac_key, keys.prober)},
        ],
    }
    # A port is a number in JSON: the quotes around its mark go.
    return json.dumps(document).replace('"@', "").replace('@"', "")


def endpoint_at(state: RunState, model: str, key: str) -> Endpoint:
    """The tap's endpoint of a run."""
    return Endpoint(f"http://127.0.0.1:{state.ports[TAP_PORT]}/v1", model, key)


class Served:
    """A model that is being served for as long as the block of `Serving` lasts."""

    def __init__(self, plane: Plane, run_id: str, endpoint: Endpoint) -> None:
        self._plane = plane
        self.run_id = run_id
        self.endpoint = endpoint

    async def wait_healthy(self, ms_max: int) -> None:
        """Return once it answers. Raises ServingError when it does not within `ms_max`."""
        for _ in range(int(ms_max / 1000 / HEALTHY_LOOK_SECONDS)):
            state = await asyncio.to_thread(self._plane.engine.state, self.run_id)
            if state.healthy:
                return
            if state.final:
                raise ServingError(state.message or f"it ended: {state.reason}")
            await asyncio.sleep(HEALTHY_LOOK_SECONDS)
        raise ServingError(f"it was not healthy within {ms_max / 1000:g} s")


class Serving:
    """Serve one shape on a trial's hold: started on entering, gone on leaving, however it is left."""

    def __init__(
        self, plane: Plane, *, run_id: str, claim: Claim, subject: Subject, shape: RunShape, end_ms: int
    ) -> None:
        self._plane = plane
        self._run_id = run_id
        self._claim = claim
        self._subject = subject
        self._shape = shape
        self._end_ms = end_ms

    async def __aenter__(self) -> Served:
        plane, subject = self._plane, self._subject
        topology = await plane.topology(plane.machine)
        # A smaller shape runs on the first of the trial's cores.
        claim = self._claim.model_copy(update={"cores": self._claim.cores[: self._shape.threads]})
        keys = ServingKeys.fresh()
        spec = served_spec(
            run_id=self._run_id,
            namespace="trial",
            name=subject.model.name,
            launch=subject.launch(self._shape, sys.executable),
            place=place_of(claim, topology, plane.system_cpus),
            keys=keys,
            end_ms=self._end_ms,
            # It reads the server's counters as in service. What it would ask is part of the load that is measured.
            prober=ProberPlan(subject.model.name, subject.load, 0.0, self._shape.slots),
        )
        try:
            state = await to_its_end(lambda: plane.engine.start(spec))
        except EngineFailure as error:
            raise ServingError(str(error)) from error
        except asyncio.CancelledError:
            await to_its_end(self._stop)  # it was started all the same, and nobody leaves what was not entered
            raise
        return Served(plane, self._run_id, endpoint_at(state, subject.model.name, keys.user))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await to_its_end(self._stop)

    def _stop(self) -> None:
        with suppress(RunNotFound):
            self._plane.engine.stop(self._run_id)
            self._plane.engine.forget(self._run_id)
