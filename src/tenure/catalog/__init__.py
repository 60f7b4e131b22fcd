"""Catalog: the models and runtimes that ship with the package, as manifests, and the fetching of model files.

Promises: a file under its digest's name in the cache has that digest; a fetch that dies leaves nothing that looks
whole; the network is reached only through the user's own package client, and only when asked to fetch.
Refuses: to take a file whose digest differs, wherever it came from.
"""

from tenure.catalog.cache import Artifact, cache_dir, cached_path, file_digest
from tenure.catalog.fetch import DigestMismatchError, FetchError, Progress, fetch_model
from tenure.catalog.manifests import artifact_of, catalog_documents, models, runtimes

__all__ = [
    "Artifact",
    "DigestMismatchError",
    "FetchError",
    "Progress",
    "artifact_of",
    "cache_dir",
    "cached_path",
    "catalog_documents",
    "fetch_model",
    "file_digest",
    "models",
    "runtimes",
]
