"""The file of measurements is copied whole while it is written, and one that is damaged is no copy."""

from pathlib import Path

import pytest

from tenure.measurement.copying import MeasurementsDamagedError, check_measurements, copy_measurements
from tenure.measurement.store import Evidence, EvidenceKey, MeasurementStore
from tenure.promises import Load, RequestSample

MS = 10**6
SAMPLE = RequestSample(0, 20 * MS, (10 * MS, 10 * MS), 40 * MS, 40, 3, 200)
KEY = EvidenceKey("sha256:0", "llamacpp", "1", (("threads", 1), ("slots", 1)), "hw", "busy")
EVIDENCE = Evidence(KEY, Load(1_000_000, 40, 3), 1000, ((SAMPLE,),), 1_800_000_000_000, "trial")


def test_a_copy_holds_what_was_measured_until_then_and_is_one_file(tmp_path: Path) -> None:
    store = MeasurementStore(tmp_path / "measurements.db")
    store.add(EVIDENCE)
    (tmp_path / "copies").mkdir()
    copy_measurements(tmp_path / "measurements.db", tmp_path / "copies" / "copy.db")
    store.add(EVIDENCE)
    store.close()
    assert [file.name for file in (tmp_path / "copies").iterdir()] == ["copy.db"]
    copied = MeasurementStore(tmp_path / "copies" / "copy.db")
    assert len(copied.find(model_digest="sha256:0", hardware_class="hw", runtime="llamacpp", runtime_version="1")) == 1
    copied.close()


def test_where_nothing_was_measured_there_is_nothing_to_copy(tmp_path: Path) -> None:
    copy_measurements(tmp_path / "measurements.db", tmp_path / "copy.db")
    check_measurements(tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_twin_a_file_that_is_none_is_neither_copied_nor_trusted(tmp_path: Path) -> None:
    (tmp_path / "measurements.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(MeasurementsDamagedError, match=r"measurements\.db: "):
        copy_measurements(tmp_path / "measurements.db", tmp_path / "copy.db")
    with pytest.raises(MeasurementsDamagedError, match=r"measurements\.db: "):
        check_measurements(tmp_path / "measurements.db")
