"""`nvidia-smi -q -x` reads into the nouns of every other source."""

import pytest

from tenure.discovery.importers import ImportedFileError, import_nvidia_smi, parse_nvidia_smi
from tenure.topology import Unknown
from tests.support.data import data_dir


def gpus_of(name: str):
    return import_nvidia_smi(data_dir("nvidia-smi", name)).topology.gpus


def test_eight_h100():
    gpus = gpus_of("qx-h100.xml")
    assert len(gpus) == 8
    assert {gpu.model for gpu in gpus} == {"NVIDIA H100 80GB HBM3"}
    assert {gpu.memory_bytes for gpu in gpus} == {81559 << 20}
    assert {(gpu.power_min_mw, gpu.power_default_mw, gpu.power_max_mw) for gpu in gpus} == {(200_000, 700_000, 700_000)}
    assert gpus[0].id == "0000:53:00.0"
    assert gpus[0].fabric.cluster == ""
    assert gpus[0].fabric.state == "completed"


def test_four_gb200_of_one_nvlink_domain():
    gpus = gpus_of("qx-gb200.xml")
    assert len(gpus) == 4
    assert {gpu.memory_bytes for gpu in gpus} == {189471 << 20}
    assert {gpu.power_max_mw for gpu in gpus} == {1_200_000}
    assert len({(gpu.fabric.cluster, gpu.fabric.clique) for gpu in gpus}) == 1
    assert gpus[0].fabric.health == "healthy"


def test_a_degraded_fabric_says_what_is_wrong():
    healths = [gpu.fabric.health for gpu in gpus_of("qx-gb200-fabric-degraded.xml")]
    assert healths == ["healthy", "unhealthy, route unhealthy: true"]


def test_an_l40s_that_lost_half_of_its_lanes():
    machine = import_nvidia_smi(data_dir("nvidia-smi", "qx-l40s.xml")).topology
    assert machine.gpus[0].fabric == Unknown("it has joined no NVLink fabric")
    link = machine.pci[0].link
    assert (link.width_max, link.width, link.speed_max_mt_s, link.speed_mt_s) == (16, 8, 16000, 16000)
    assert link.is_narrowed
    assert not link.is_slowed


def test_sentences_in_place_of_numbers_become_reasons():
    text = b"""<nvidia_smi_log><gpu id="00010000:3B:00.0"><product_name>N/A</product_name>
      <fb_memory_usage><total>Insufficient Permissions</total></fb_memory_usage></gpu></nvidia_smi_log>"""
    gpu = parse_nvidia_smi(text).gpus[0]
    assert gpu.id == "10000:3b:00.0"
    assert gpu.memory_bytes == Unknown("nvidia-smi says 'Insufficient Permissions'")
    assert gpu.model == Unknown("nvidia-smi does not tell")


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"<topology/>", "not <nvidia_smi_log>"), (b"<nvidia_smi_log><gpu id='x'/></nvidia_smi_log>", "PCI address")],
)
def test_other_files_are_refused(data: bytes, why: str):
    with pytest.raises(ImportedFileError, match=why):
        parse_nvidia_smi(data)
