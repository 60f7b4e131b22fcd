"""A small plane with an engine that could run something, a model that a need names, and what was measured of it."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tenure.client import AsyncClient
from tenure.controllers.answering.gather import find_subject
from tenure.controllers.answering.need import need_of
from tenure.controllers.plane import Plane
from tenure.controllers.subject import Subject
from tenure.controllers.trialling.book import remember
from tenure.engines import LocalEngine
from tenure.resources import Machine, Model
from tests.controllers.builders import sample, spec
from tests.controllers.planes import plane_on
from tests.runtimes.gguf_files import a_header, write_gguf

CORES = 2
WINDOW_MS = 2_000
ENOUGH = 12
"""Windows that bound what `builders.spec` asks for."""


@asynccontextmanager
async def plane_that_serves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Plane, AsyncClient]]:
    """The plane, its user, and a cache with no model in it."""
    monkeypatch.setenv("TENURE_CACHE", str(folder / "cache"))
    async with plane_on(folder / "home", cores=CORES) as (plane, user):
        plane.engine = LocalEngine(plane.home)
        plane.machine = "m"
        yield plane, user


async def model_appears(user: AsyncClient, file: Path) -> Path:
    """The Model that the need names, whose file is not in the cache yet; returns where it would be there."""
    write_gguf(file, a_header())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    source = {"digest": f"sha256:{digest}", "sources": [{"file": {"path": str(file)}}]}
    await user.create(Model.model_validate({"metadata": {"name": "m"}, "spec": source}))
    return file.parent / "cache" / "models" / f"sha256-{digest}.gguf"


def fetched(file: Path, cached: Path) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(file.read_bytes())


async def measured_before(plane: Plane) -> None:
    """Every shape of the model keeps what `builders.spec` asks for: no trial is needed."""
    machine = await plane.client.get(Machine, plane.machine)
    subject = await find_subject(plane, need_of(spec(), plane.clock.now_ms()), machine)
    assert isinstance(subject, Subject), subject
    for shape in subject.shapes(CORES):
        windows = tuple((sample(50.0),) for _ in range(ENOUGH))
        remember(plane, subject, shape, subject.load, WINDOW_MS, windows, neighbours="busy", origin="trial")
