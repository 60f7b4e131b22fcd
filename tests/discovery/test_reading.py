"""Reading gives text, or the reason why there is none; it never leaves the root and never raises for a file."""

import os

import pytest

from tenure.discovery import RootNotReadableError, Wanted, read_tree
from tenure.topology import Unknown


def test_text_comes_without_the_white_space_around_it(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "model").write_bytes(b"Example\0\n")
    facts = read_tree(tmp_path, [Wanted("proc", ("model", "absent"))])
    assert facts.text("proc/model") == "Example"
    assert facts.text("proc/absent") == Unknown("/proc/absent does not exist")
    assert not facts.is_live


def test_an_empty_file_is_read_and_a_missing_one_is_not(tmp_path):
    (tmp_path / "empty").write_text("")
    facts = read_tree(tmp_path, [Wanted("", ("empty",))])
    assert facts.text("empty") == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_says_so(tmp_path):
    (tmp_path / "secret").write_text("1")
    (tmp_path / "secret").chmod(0)
    facts = read_tree(tmp_path, [Wanted("", ("secret",))])
    assert facts.text("secret") == Unknown("permission denied")


def test_a_folder_in_place_of_a_file_is_a_reason(tmp_path):
    (tmp_path / "sys" / "speed").mkdir(parents=True)
    facts = read_tree(tmp_path, [Wanted("sys", ("speed",))])
    assert facts.text("sys/speed") == Unknown("is a directory")


def test_links_inside_are_followed_and_told(tmp_path):
    (tmp_path / "sys/devices/pci0000:00/0000:00:02.0").mkdir(parents=True)
    (tmp_path / "sys/devices/pci0000:00/0000:00:02.0/class").write_text("0x020000\n")
    (tmp_path / "sys/bus/pci/devices").mkdir(parents=True)
    (tmp_path / "sys/bus/pci/devices/0000:00:02.0").symlink_to("../../../devices/pci0000:00/0000:00:02.0")
    facts = read_tree(
        tmp_path, [Wanted("sys/bus/pci/devices", links=True), Wanted("sys/bus/pci/devices/*", ("class",))]
    )
    assert facts.number("sys/bus/pci/devices/0000:00:02.0/class") == 0x020000
    assert facts.links["sys/bus/pci/devices/0000:00:02.0"] == "sys/devices/pci0000:00/0000:00:02.0"


def test_a_link_out_of_a_recorded_tree_is_not_followed(tmp_path):
    (tmp_path / "outside").write_text("from the machine that reads")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "inside").symlink_to("../outside")
    (tmp_path / "tree" / "absolute").symlink_to(tmp_path / "outside")
    facts = read_tree(tmp_path / "tree", [Wanted("", ("inside", "absolute"))])
    assert facts.text("inside") == Unknown("leads out of the recorded tree")
    assert facts.text("absolute") == Unknown("leads out of the recorded tree")


def test_a_folder_that_leads_out_is_not_followed_either(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "name").write_text("from the machine that reads")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "folder").symlink_to("../outside")
    facts = read_tree(tmp_path / "tree", [Wanted("folder", ("name",))])
    assert facts.text("folder/name") == Unknown("leads out of the recorded tree")


def test_what_is_no_number_says_what_it_is(tmp_path):
    (tmp_path / "speed").write_text("Unknown\n")
    facts = read_tree(tmp_path, [Wanted("", ("speed",))])
    assert facts.number("speed") == Unknown("/speed says 'Unknown', which is no number")


def test_a_root_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(RootNotReadableError, match="is not a folder"):
        read_tree(tmp_path / "absent", [])
