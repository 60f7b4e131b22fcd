"""The SDK: a need in, a contract and its endpoint out, in Python as on the command line, which uses it itself.

Promises: the same objects and the same errors as every other face; what waits says how far it is; nothing is accepted
that was not asked for. Refuses: to decide for its user. A counter-offer or a refusal is an answer, not an exception.

    from tenure import Client

    with Client() as client:
        workload = client.request("chat.yaml")
        contract = client.accept(workload.status.answer.quotes[0])
        endpoint = client.endpoint(contract)
"""

from typing import TYPE_CHECKING

from tenure.lazily import lazily
from tenure.sdk.blocking import Client
from tenure.sdk.needs import Endpoint, Need, Progress
from tenure.sdk.outcomes import (
    CommissioningFailed,
    ContractOver,
    NoEndpoint,
    NotAccepted,
    NothingToAccept,
    SdkError,
)

if TYPE_CHECKING:
    from tenure.sdk.aio import AsyncClient
else:
    __getattr__, __dir__ = lazily(__name__, {"tenure.sdk.aio": "AsyncClient"})

__all__ = [
    "AsyncClient",
    "Client",
    "CommissioningFailed",
    "ContractOver",
    "Endpoint",
    "Need",
    "NoEndpoint",
    "NotAccepted",
    "NothingToAccept",
    "Progress",
    "SdkError",
]
