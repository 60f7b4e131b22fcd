"""The embedded host's door: the Kubernetes-shaped API over one store, on loopback, for two identities.

Promises: what stock kubectl needs of get, list, watch, create, replace, merge patch and delete for the registered
kinds; every refusal a Status with a stable reason and the field at fault; an answer to a write only after it is on
disk. Refuses: to be a general Kubernetes. Server-side apply, JSON patch, webhooks, aggregation and RBAC are left out,
and the answers say so.
"""

from tenure.server.app import make_app
from tenure.server.host import Host, store_resources
from tenure.server.kubeconfig import kubeconfig, write_kubeconfig
from tenure.server.serving import Serving, serve, serving

__all__ = [
    "Host",
    "Serving",
    "kubeconfig",
    "make_app",
    "serve",
    "serving",
    "store_resources",
    "write_kubeconfig",
]
