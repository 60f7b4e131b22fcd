"""The catalog that ships with the package, put where needs can name it; what a user changed is left alone."""

from tenure.catalog import models, runtimes
from tenure.client import AsyncClient
from tenure.controllers.in_use.finalizer import create_guarded


async def put_catalog(client: AsyncClient) -> None:
    """Create the Models and Runtimes of the package that are not there yet."""
    for obj in (*models(), *runtimes()):
        await create_guarded(client, obj)
