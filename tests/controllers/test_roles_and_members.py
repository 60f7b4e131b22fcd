"""What a member takes, as a Workload says it: shares of devices, models, local disk, NICs; and members in roles."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tenure.cli.recount_facts import capacity_of, limits_of
from tenure.controllers.answering.choices import Choice
from tenure.controllers.answering.costs import price_of
from tenure.controllers.answering.promised import simulated_hard
from tenure.controllers.answering.reserve import with_reserve
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.ledger.convert import RESERVE, from_placed, to_placed
from tenure.placement import Calendar, Fleet, Plan, Refusal, capacity
from tenure.resources import HardwareProfile
from tenure.resources.kinds.machine import HardwareProfileSpec
from tenure.resources.kinds.workload import WorkloadSpec
from tenure.topology import (
    MachineTopology,
    NetworkInterface,
    PciDevice,
    Unknown,
    digest,
    identity_json,
    listed,
    machine_from_json,
)
from tests.controllers.fleets import decided, demand_of, file_of, fleet, gang, machines_of, planned, refused

UNREAD = Unknown("not read")


def of(devices: list[dict[str, Any]], members: int = 1, **resources: Any) -> WorkloadSpec:
    return gang(members, 1, devices=devices, **resources)


def in_roles(*roles: dict[str, Any], **more: Any) -> WorkloadSpec:
    body = {"training": {}, "run": {"command": ["train"]}, "resources": {"roles": list(roles)}, **more}
    return WorkloadSpec.model_validate(body)


def held(on: Fleet, spec: WorkloadSpec) -> Calendar:
    return Calendar().with_holds(planned(on, spec).hold("first"))


# Shares of devices, and models


@pytest.mark.parametrize("written", ["250m", 0.25, "0.25"])
def test_a_member_takes_thousandths_of_a_device(tmp_path: Path, written: object) -> None:
    claim = planned(fleet(tmp_path, "rack", "m-0,r"), of([{"class": "gpu", "fraction": written}])).claims[0]
    assert [device.milli for device in claim.devices] == [250]


def test_members_share_a_device_until_it_is_full_and_the_refusal_names_the_class(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", "m-0,r")
    third = {"class": "gpu", "fraction": "400m"}
    assert len(planned(on, of([third], 8)).claims) == 8
    full = held(on, of([{"class": "gpu", "count": 8, "fraction": "700m"}]))
    assert refused(on, of([third]), full).binding.constraint == "devices:gpu"
    assert isinstance(decided(on, of([{"class": "gpu", "fraction": "300m"}]), full), Plan)


@pytest.mark.parametrize("wrong", ["0", "1001m", "2"])
def test_a_fraction_is_more_than_nothing_and_at_most_a_whole_device(wrong: str) -> None:
    with pytest.raises(ValidationError, match="1m to 1"):
        of([{"class": "gpu", "fraction": wrong}])


def test_any_of_several_models_will_do(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", "m-0,r")  # of H100
    assert machines_of(planned(on, of([{"class": "gpu", "models": ["A100", "H100"]}]))) == {"m-0"}
    assert refused(on, of([{"class": "gpu", "models": ["A100", "B200"]}])).binding.constraint == "devices:gpu"
    with pytest.raises(ValidationError, match="model or models, not both"):
        of([{"class": "gpu", "model": "H100", "models": ["A100"]}])


def test_a_share_of_a_machine_s_devices_costs_that_share(tmp_path: Path) -> None:
    made = file_of(tmp_path, "hourly_cost", "m-0,8.00 EUR")
    machines = {machine.name: machine for machine in as_observed(made, 0)}
    on = fleet_of(made.site, list(machines.values()), made.profiles)
    spec = of([{"class": "gpu", "count": 4, "fraction": "500m"}])
    assert str(price_of(planned(on, spec), machines, on).hourly) == "2.00 EUR"


# Roles


HEAD = {"name": "head", "cores": 4, "memory": "1Gi"}
WORKER = {"name": "worker", "members": 3, "devices": [{"class": "gpu", "count": 4}]}


def test_roles_are_placed_together_and_each_claim_says_whose_it_is(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", "m-0,r", "m-1,r")
    found = planned(on, in_roles(HEAD, WORKER))
    assert sorted(claim.role for claim in found.claims) == ["head", "worker", "worker", "worker"]
    head = next(claim for claim in found.claims if claim.role == "head")
    assert (len(head.cores), head.memory_bytes, head.devices) == (4, 1 << 30, ())
    written = from_placed(found.hold("h"))
    assert {claim.role for claim in written.claims} == {"head", "worker"}
    assert to_placed(written) == found.hold("h")
    said = next(promise.value for promise in simulated_hard(found) if promise.what == "members")
    assert said.startswith("head: 1, each 4 cores, 1Gi; worker: 3, each 1 core, ")


def test_of_several_roles_all_are_placed_or_none(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", "m-0,r", "m-1,r")
    no = refused(on, in_roles(HEAD, {**WORKER, "members": 5}))
    assert no.binding.constraint == "devices:gpu"
    assert refused(on, in_roles({**HEAD, "cores": 9}, WORKER)).binding.constraint == "cores"


def test_roles_share_a_level_with_each_other(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", "m-0,r-0", "m-1,r-1")
    rules = {"must": [{"share": "rack"}]}
    planned(on, in_roles(HEAD, WORKER))
    assert isinstance(decided(on, in_roles(HEAD, WORKER, topology=rules)), Refusal)


def test_a_reserve_holds_one_more_member_of_each_role(tmp_path: Path) -> None:
    on = fleet(tmp_path, "rack", *(f"m-{n},r" for n in range(4)))
    roles = with_reserve(Choice(demand_of(on, in_roles(HEAD, WORKER)), None), on).demand.roles
    assert [(role.name, role.count, role.cores) for role in roles] == [
        ("head", 1, 4),
        ("worker", 3, 1),
        (RESERVE, 1, 4),
        (RESERVE, 1, 1),
    ]


def test_roles_that_cannot_be_told_apart_or_stand_beside_other_fields_are_turned_away() -> None:
    for roles in ([HEAD, HEAD], [{**HEAD, "name": RESERVE}]):
        with pytest.raises(ValidationError, match="a name of its own"):
            in_roles(*roles)
    with pytest.raises(ValidationError, match="move cores, localDisk into a role"):
        WorkloadSpec.model_validate(
            {
                "training": {},
                "run": {"command": ["train"]},
                "resources": {"roles": [HEAD], "cores": 2, "localDisk": "1Gi"},
            }
        )


def test_roles_survive_the_wire_and_who_names_none_asks_the_question_that_he_always_asked() -> None:
    spec = in_roles(HEAD, WORKER)
    assert WorkloadSpec.model_validate(spec.to_json()) == spec
    said = gang(2, 8).to_json()["resources"]
    assert not {"roles", "localDisk"} & said.keys()
    assert said["devices"] == [{"class": "gpu", "count": 8}]


# Local disk


def test_members_take_local_disk_of_their_machine_and_the_refusal_names_it(tmp_path: Path) -> None:
    on = fleet(tmp_path, "local_disk", "m-0,1Ti", "m-1,1Ti")
    found = planned(on, of([], 2, localDisk="600Gi"))
    assert machines_of(found) == {"m-0", "m-1"}
    no = refused(on, of([], 3, localDisk="600Gi"))
    assert no.binding.constraint.startswith("localDisk")
    assert no.binding.unit == "bytes"
    full = held(on, of([], 2, localDisk="600Gi"))
    assert refused(on, of([], localDisk="600Gi"), full).binding.constraint.startswith("localDisk")
    assert isinstance(decided(on, of([], localDisk="400Gi"), full), Plan)


def test_a_machine_that_sells_no_local_disk_is_no_candidate_and_the_refusal_says_where_to_declare_it(
    tmp_path: Path,
) -> None:
    on = fleet(tmp_path, "local_disk", "m-0,", "m-1,1Ti")
    assert machines_of(planned(on, of([], localDisk="1Gi"))) == {"m-1"}
    none = refused(fleet(tmp_path, "local_disk", "m-0,"), of([], localDisk="1Gi"))
    assert none.binding.constraint == "localDisk"
    assert "Machine.spec.localDisk" in none.binding.hint


def test_the_recount_adds_local_disk_up_by_machine(tmp_path: Path) -> None:
    made = file_of(tmp_path, "local_disk", "m-0,1Ti")
    profiles = {profile.name: profile for profile in made.profiles}
    (limit,) = limits_of(made.site, as_observed(made, 0), profiles)
    assert (limit.id, limit.limit, limit.machines) == ("localDisk:m-0", 1 << 40, frozenset({"m-0"}))


# NICs


def test_nics_are_devices_beside_gpus_and_capacity_still_counts_gpus(tmp_path: Path) -> None:
    made = file_of(tmp_path, "nics,numa_nodes,gpu_power", "m-0,10,2,700W")
    machines = as_observed(made, 0)
    on = fleet_of(made.site, machines, made.profiles)
    claim = planned(on, of([{"class": "gpu", "count": 2}, {"class": "nic", "count": 2}])).claims[0]
    assert sorted(device.id.partition("-")[0] for device in claim.devices) == ["gpu", "gpu", "nic", "nic"]
    assert refused(on, of([{"class": "nic", "count": 11}])).binding.constraint == "devices:nic"
    assert capacity(on, Calendar(), "simulated", at_ms=0).members == 8
    sold = capacity_of(machines[0], {profile.name: profile for profile in made.profiles}).devices
    assert len(sold) == 18


def test_a_gpu_and_a_nic_share_a_numa_node_where_that_is_asked(tmp_path: Path) -> None:
    on = fleet(tmp_path, "nics,numa_nodes", "m-0,2,2")
    pair = [{"class": "gpu", "count": 4}, {"class": "nic"}]
    rules = {"must": [{"share": "numaNode"}]}
    near = planned(on, gang(2, devices=pair, topology=rules))
    for claim in near.claims:
        nodes = {on.machine(claim.machine).device_index[device.id].numa_node for device in claim.devices}
        assert len(nodes) == 1
    too_many = [{"class": "gpu", "count": 4}, {"class": "nic", "count": 2}]
    planned(on, of(too_many))
    assert isinstance(decided(on, gang(1, devices=too_many, topology=rules)), Refusal)


def test_a_gpu_and_a_nic_share_a_pcie_switch_where_that_is_asked(tmp_path: Path) -> None:
    on = switched(tmp_path)
    rules = {"must": [{"share": "pcieSwitch"}]}
    pair = [{"class": "gpu"}, {"class": "nic"}]
    found = planned(on, gang(2, devices=pair, topology=rules))
    for claim in found.claims:
        devices = [on.machine(claim.machine).device_index[device.id] for device in claim.devices]
        assert len({device.pcie_switch for device in devices}) == 1
    assert isinstance(decided(on, gang(3, devices=pair, topology=rules)), Refusal)
    planned(on, of([{"class": "gpu"}, {"class": "nic", "count": 2}]))
    two_nics = [{"class": "gpu"}, {"class": "nic", "count": 2}]
    assert isinstance(decided(on, gang(1, devices=two_nics, topology=rules)), Refusal)


def test_a_nic_is_known_by_its_kind_and_shares_and_wireless_ones_are_not_sold(tmp_path: Path) -> None:
    on = switched(tmp_path)
    nics = [device for device in on.machines[0].devices if device.device_class == "nic"]
    assert [nic.model for nic in nics] == ["infiniband", "infiniband"]
    planned(on, of([{"class": "nic", "model": "infiniband"}]))
    assert refused(on, of([{"class": "nic", "model": "ethernet"}])).binding.constraint == "devices:nic"


def switched(folder: Path) -> Fleet:
    """A machine with two PCIe switches; below each of them four GPUs and a NIC."""
    made = file_of(folder, "rack", "m-0,r")
    topology = _with_switches(machine_from_json(made.profiles[0].spec.topology))
    spec = HardwareProfileSpec(digest=digest(topology), topology=identity_json(topology))
    profile = HardwareProfile(metadata=made.profiles[0].metadata, spec=spec)
    made = replace(made, profiles=(profile,))
    return fleet_of(made.site, as_observed(made, 0), made.profiles)


def _with_switches(topology: MachineTopology) -> MachineTopology:
    pci: list[PciDevice] = []
    below: list[tuple[str, str]] = []  # a GPU or NIC, and its address
    for switch in range(2):
        port, up = f"0000:{switch}0:00.0", f"0000:{switch}1:00.0"
        pci += [_function(port, "", switch), _function(up, port, switch)]
        for unit, name in enumerate([*(f"gpu-{4 * switch + n}" for n in range(4)), f"nic-{switch}"]):
            down, end = f"0000:{switch}2:0{unit}.0", f"0000:{switch}{3 + unit}:00.0"
            pci += [_function(down, up, switch), _function(end, down, switch)]
            below.append((name, end))
    address = dict(below)
    gpus = tuple(replace(gpu, id=address[gpu.id], pci=address[gpu.id]) for gpu in listed(topology.gpus))
    wired = [_nic(address[f"nic-{n}"], "infiniband") for n in range(2)]
    share = replace(_nic("0000:14:00.1", "infiniband"), physical_function=wired[0].id)
    return replace(topology, pci=tuple(pci), gpus=gpus, nics=(*wired, share, _nic("0000:30:00.0", "wireless")))


def _nic(address: str, kind: str) -> NetworkInterface:
    return NetworkInterface(address, address, UNREAD, kind, UNREAD, 0)


def _function(address: str, parent: str, root: int) -> PciDevice:
    return PciDevice(address, f"0000:{root}0", parent, UNREAD, UNREAD, UNREAD, UNREAD, UNREAD, 0, UNREAD)
