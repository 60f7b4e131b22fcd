"""A gap is named by its path, with its reason and what stands on it."""

from tenure.topology import Missing, Unknown, missing_attributes
from tests.topology.builders import a_gpu, a_machine


def test_a_machine_described_in_full_has_no_gap() -> None:
    assert missing_attributes(a_machine()) == ()


def test_each_gap_has_a_path_and_a_reason() -> None:
    gpus = (a_gpu("0000:3d:00.0", memory_bytes=Unknown("no driver tells it")), a_gpu("0000:3e:00.0"))
    machine = a_machine(gpus=gpus, product=Unknown("not filled in"), links=Unknown("not asked"))
    assert missing_attributes(machine) == (
        Missing("product", "not filled in", "wanted"),
        Missing("gpus[0].memoryBytes", "no driver tells it", "needed"),
        Missing("links", "not asked", "needed"),
    )


def test_having_no_gpu_is_no_gap_and_not_knowing_is() -> None:
    assert missing_attributes(a_machine(gpus=(), links=())) == ()
    gaps = missing_attributes(a_machine(gpus=Unknown("no bus"), links=()))
    assert [gap.path for gap in gaps] == ["gpus"]


def test_links_matter_only_between_several_gpus() -> None:
    machine = a_machine(gpus=(a_gpu("0000:3d:00.0"),), links=Unknown("not asked"))
    assert missing_attributes(machine) == ()
