"""The catalog that ships with the package, put where needs can name it; what a user changed is left alone."""

from tenure.catalog import models, runtimes
from tenure.client import AlreadyExists, AsyncClient
from tenure.controllers.in_use.finalizer import guarded


async def put_catalog(client: AsyncClient) -> None:
    """Create the Models and Runtimes of the package that are not there yet."""
    for obj in (*models(), *runtimes()):
        try:
            await client.create(guarded(obj))
        except AlreadyExists:
            continue
