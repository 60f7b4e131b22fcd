"""Tenure gives AI workloads a guaranteed hold on infrastructure.

It promises: what it calls held is reserved, what it calls kept was measured. It refuses to guess: what it cannot see
it calls unverifiable, what is not declared it calls unknown.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tenure.sdk import AsyncClient, Client

__all__ = ["AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> object:
    # Imported on first use, because supervisors and `tenure --help` live in this package too and must stay small.
    if name in ("AsyncClient", "Client"):
        import tenure.sdk

        return getattr(tenure.sdk, name)
    raise AttributeError(f"module 'tenure' has no attribute {name!r}")
