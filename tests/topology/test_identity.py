"""Equal hardware has one digest, whatever the host is called, does, or who read it."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from tenure.topology import (
    TopologyFormatError,
    Unknown,
    digest,
    digest_of_json,
    identity_json,
    machine_from_json,
    observed_from_json,
    to_json,
)
from tests.topology.builders import GIB, a_gpu, a_link, a_machine, an_observed, known


def test_digest_is_a_sha256_of_canonical_text() -> None:
    machine = a_machine()
    assert digest(machine).startswith("sha256:")
    assert len(digest(machine)) == len("sha256:") + 64
    assert digest(machine) == digest(a_machine()) == digest_of_json(identity_json(machine))


def test_names_states_and_serials_are_no_identity() -> None:
    gpus = (a_gpu("0000:3d:00.0", uuid="GPU-1", power_limit_mw=500_000, name="nvidia7"), a_gpu("0000:3e:00.0"))
    nics = (
        dataclasses.replace(known(a_machine().nics)[0], name="enp94s0", speed_bits_per_s=Unknown("the link is down")),
    )
    assert digest(a_machine(gpus=gpus, nics=nics)) == digest(a_machine())


def test_a_link_that_slowed_down_or_lost_lanes_is_still_the_same_hardware() -> None:
    pci = tuple(dataclasses.replace(device, link=a_link(now=(8, 2500))) for device in known(a_machine().pci))
    assert digest(a_machine(pci=pci)) == digest(a_machine())


def test_what_the_kernel_keeps_back_of_memory_is_no_difference_and_a_module_is() -> None:
    def with_memory(size_bytes: int) -> str:
        nodes = tuple(dataclasses.replace(node, memory_bytes=size_bytes) for node in a_machine().numa_nodes)
        return digest(a_machine(numa_nodes=nodes))

    assert with_memory(64 * GIB - (300 << 20)) == with_memory(64 * GIB)
    assert with_memory(96 * GIB) != with_memory(64 * GIB)


def test_virtual_functions_that_software_made_are_no_other_hardware() -> None:
    physical = known(a_machine().pci)[-2]
    virtual = dataclasses.replace(physical, address="0000:5e:01.0", physical_function=physical.address)
    nic = dataclasses.replace(known(a_machine().nics)[0], id="0000:5e:01.0", physical_function=physical.address)
    with_functions = a_machine(pci=(*known(a_machine().pci), virtual), nics=(*known(a_machine().nics), nic))
    assert digest(with_functions) == digest(a_machine())


def test_a_profile_survives_a_host_that_drops_nulls() -> None:
    kept = identity_json(a_machine(vendor=Unknown("no tables"), numa_distances=Unknown("no table")))
    assert "vendor" not in kept
    assert None not in kept.values()
    assert machine_from_json(kept).vendor == Unknown("not known when the profile was made")


def test_why_a_fact_is_unknown_is_no_identity() -> None:
    as_user, as_root = (a_machine(vendor=Unknown(reason)) for reason in ("permission denied", "not filled in"))
    assert digest(as_user) == digest(as_root) != digest(a_machine())


@pytest.mark.parametrize(
    "change",
    [
        {"cores": a_machine().cores[:-1]},
        {"caches": a_machine().caches[1:]},
        {"numa_distances": ((10, 32), (32, 10))},
        {"gpus": known(a_machine().gpus)[:1]},
        {"product": "Server 3"},
        {"links": ()},
        {"pci": tuple(dataclasses.replace(device, link=a_link(width=8)) for device in known(a_machine().pci))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_hardware_has_another_digest(change: dict[str, Any]) -> None:
    assert digest(a_machine(**change)) != digest(a_machine())


def test_the_full_form_reads_back_equal() -> None:
    observed = an_observed(boot_id=Unknown("not readable"))
    assert observed_from_json(json.loads(json.dumps(to_json(observed)))) == observed


def test_a_profile_gives_the_hardware_back_with_states_unknown() -> None:
    machine = machine_from_json(json.loads(json.dumps(identity_json(a_machine()))))
    assert machine.cores == a_machine().cores
    assert machine.l3_groups() == a_machine().l3_groups()
    assert [device.id for device in machine.devices()] == [device.id for device in a_machine().devices()]
    assert isinstance(known(machine.gpus)[0].power_limit_mw, Unknown)
    assert digest(machine) == digest(a_machine())


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda value: value.pop("cores"), "topology.cores: missing"),
        (lambda value: value["cores"][0].update(cpus="0"), r"topology.cores\[0\].cpus: expected a list"),
        (lambda value: value["cores"][0].update(id=True), r"topology.cores\[0\].id: expected int"),
        (lambda value: value.update(colour="red"), "topology.colour: unknown field"),
        (lambda value: value.update(gpus=[7]), r"topology.gpus\[0\]: expected an object"),
    ],
)
def test_what_is_no_machine_is_refused_with_its_place(spoil: Callable[[dict[str, Any]], Any], place: str) -> None:
    value = json.loads(json.dumps(identity_json(a_machine())))
    spoil(value)
    with pytest.raises(TopologyFormatError, match=place):
        machine_from_json(value)
