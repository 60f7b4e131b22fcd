"""Tenure gives AI workloads a guaranteed hold on infrastructure.

It promises: what it calls held is reserved, what it calls kept was measured. It refuses to guess: what it cannot see
it calls unverifiable, what is not declared it calls unknown.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tenure.sdk import AsyncClient, Client
else:
    from tenure.lazily import lazily

    __getattr__, __dir__ = lazily(__name__, {"tenure.sdk": "AsyncClient Client"})

__all__ = ["AsyncClient", "Client", "__version__"]
