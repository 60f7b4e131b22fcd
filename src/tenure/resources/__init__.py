"""The nouns of Tenure: models, the table of kinds, the schemas made from them, and the reason codes.

Promises: what validates here is accepted by both hosts, and every error has a path and a code. Refuses: unknown fields,
and judging more than one object at a time (a missing reference is a condition, not a rejection).
"""

from typing import TYPE_CHECKING

from tenure.lazily import lazily
from tenure.resources.group import API_VERSION, GROUP, VERSION
from tenure.resources.registry import KINDS, Column, Kind, kind_at, kind_for, kind_named, kind_of

if TYPE_CHECKING:
    from tenure.resources.base import (
        ApiObject,
        Condition,
        ObjectMeta,
        OwnerReference,
        Status,
        condition_of,
        with_condition,
    )
    from tenure.resources.kinds.contract import LEDGER_FINALIZER, Contract, Offer
    from tenure.resources.kinds.core import Event, Lease, Namespace, Secret
    from tenure.resources.kinds.engine import Engine
    from tenure.resources.kinds.machine import HardwareProfile, Machine
    from tenure.resources.kinds.model import Model
    from tenure.resources.kinds.runtime import Runtime
    from tenure.resources.kinds.site import Site
    from tenure.resources.kinds.workload import Inquiry, Workload
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "tenure.resources.base": "ApiObject Condition ObjectMeta OwnerReference Status condition_of with_condition",
            "tenure.resources.kinds.contract": "LEDGER_FINALIZER Contract Offer",
            "tenure.resources.kinds.core": "Event Lease Namespace Secret",
            "tenure.resources.kinds.engine": "Engine",
            "tenure.resources.kinds.machine": "HardwareProfile Machine",
            "tenure.resources.kinds.model": "Model",
            "tenure.resources.kinds.runtime": "Runtime",
            "tenure.resources.kinds.site": "Site",
            "tenure.resources.kinds.workload": "Inquiry Workload",
        },
    )

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "LEDGER_FINALIZER",
    "VERSION",
    "ApiObject",
    "Column",
    "Condition",
    "Contract",
    "Engine",
    "Event",
    "HardwareProfile",
    "Inquiry",
    "Kind",
    "Lease",
    "Machine",
    "Model",
    "Namespace",
    "ObjectMeta",
    "Offer",
    "OwnerReference",
    "Runtime",
    "Secret",
    "Site",
    "Status",
    "Workload",
    "condition_of",
    "kind_at",
    "kind_for",
    "kind_named",
    "kind_of",
    "with_condition",
]
