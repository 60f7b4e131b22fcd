"""Machine and HardwareProfile: one host, and the topology that many hosts share."""

from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from tenure.quantities import Amount, Bytes, Instant, Power
from tenure.resources.base import ApiObject, Status, Strict


class SystemReserve(Strict):
    """What the operating system and Tenure keep for themselves; never sold."""

    cores: list[int] = Field(default_factory=list, description="physical cores by their lowest CPU number")
    memory: Bytes = Field(default=Bytes(0), description="memory that is not sold", examples=["1Gi"])


class MachineHealth(Strict):
    """What is reported broken of a host, by its operator, a health check or a fleet's file. It keeps its place and what
    it holds; nothing new is placed on it."""

    failed: bool = Field(default=False, description="the whole host")
    failed_devices: list[str] = Field(default_factory=list, description="ids of devices, as its profile names them")
    reason: str | None = Field(default=None, description="who saw what, for people")


class MachineSpec(Strict):
    """What is declared of one host."""

    site: str = Field(description="name of the Site that it stands in")
    row: str | None = Field(
        default=None, description="its row, by any name that is the same for all machines of it", examples=["row-1"]
    )
    rack: str | None = Field(
        default=None, description="its rack, by any name that is the same for all machines of it", examples=["rack-07"]
    )
    position: int | None = Field(
        default=None, description="the lowest rack unit that it takes in its rack; for people", examples=[12]
    )
    profile: str = Field(description="the HardwareProfile of this host")
    hourly_cost: Amount | None = Field(default=None, description="unknown when absent, never invented")
    rated_power: Power | None = Field(
        default=None,
        description="the most that it draws by its maker's word; charged to budgets of power where the site says rated",
        examples=["10kW"],
    )
    capped_power: Power | None = Field(
        default=None, description="what the host is capped to, where something enforces that (its BMC, a power shelf)"
    )
    measured_power: Power | None = Field(
        default=None, description="the most that it was measured to draw with all of it at work; no idle reading"
    )
    gpu_capped_power: Power | None = Field(default=None, description="the power limit that is set on each GPU")
    rack_units: int | None = Field(default=None, ge=0, description="space that it takes in its rack")
    weight_kg: int | None = Field(default=None, ge=0, description="what it weighs, its part of the rack aside")
    local_disk: Bytes | None = Field(
        default=None, description="local disk that members may take; absent: none of it is sold"
    )
    owner: str | None = Field(default=None, description="whom it belongs to, for people")
    in_service_since: Instant | None = Field(default=None, description="unknown when absent, never invented")
    end_of_life: Instant | None = Field(
        default=None, description="until when it is meant to serve, for people; nothing follows from it"
    )
    reserved: SystemReserve = Field(
        default_factory=SystemReserve, description="what the operating system and Tenure keep; the rest is sold"
    )
    drain: bool = Field(default=False, description="true: nothing new is placed here")
    health: MachineHealth | None = Field(default=None, description="absent: nothing is reported")


class Enforcement(Strict):
    """What can be enforced on this host, by which mechanism, or why not."""

    what: str = Field(description="what it is", examples=["cpuset"])
    available: bool = Field(description="whether it can be enforced")
    mechanism: str | None = Field(default=None, description="by what", examples=["cgroup-v2"])
    reason: str | None = Field(default=None, description="why it cannot be")


class MachineStatus(Status):
    """What was observed of the host."""

    state: Literal["Discovered", "Qualified", "Ready", "Draining", "Failed", "Retired"] = Field(
        default="Discovered", description="whether new work is placed on it; only on one that is Ready"
    )
    cores: int | None = Field(default=None, description="physical cores that it has")
    sellable_cores: list[int] = Field(
        default_factory=list, description="cores that are sold, by their lowest CPU number"
    )
    reserved_seen: list[int] = Field(default_factory=list, description="cores that were reserved when this was written")
    memory: Bytes | None = Field(default=None, description="memory that it has for work and reserve")
    sellable_memory: Bytes | None = Field(default=None, description="memory that is sold")
    devices: int | None = Field(default=None, description="GPUs that it has")
    failed_devices: list[str] = Field(default_factory=list, description="devices that are not sold, being broken")
    gpu_capped_power: Power | None = Field(
        default=None, description="the power limit that was read of the GPUs; the greatest where they differ"
    )
    enforcement: list[Enforcement] = Field(default_factory=list, description="what can be enforced on it")
    boot_id: str | None = Field(default=None, description="the kernel's id of this boot; another after each")
    virtual: str | None = Field(default=None, description="the hypervisor, when this is a virtual machine")
    last_seen: Instant | None = Field(
        default=None, description="when its hardware was read: at the last start of its host's control plane"
    )


class Machine(ApiObject):
    """One host: where it stands, which hardware profile it has, what it costs, what is reserved for the system."""

    kind: Literal["Machine"] = "Machine"
    spec: MachineSpec
    status: MachineStatus | None = None


class HardwareProfileSpec(Strict):
    """A machine topology in its canonical form (`tenure.topology`); its hash names the profile."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")
    digest: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$", description="digest of the topology; its first twelve digits name the profile"
    )
    topology: dict[str, Any] = Field(
        description="cores, caches, NUMA nodes, devices and links: `tenure inventory show` prints it"
    )
    summary: str = Field(default="", description="the hardware in one line, for people")


class HardwareProfile(ApiObject):
    """The topology that equal machines share; content-addressed, so equal hardware is one profile."""

    kind: Literal["HardwareProfile"] = "HardwareProfile"
    spec: HardwareProfileSpec
    status: Status | None = None
