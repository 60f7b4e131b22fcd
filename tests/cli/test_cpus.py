"""Core numbers are no CPU numbers: on a machine with two threads a core, both are the contract's."""

import os
from typing import Any, cast

import pytest

from tenure.cli.cpus import cpus_on, held_cpus
from tenure.cli.own.repeat import _stand_aside
from tenure.client import Client, NotFound
from tenure.resources import HardwareProfile, Machine
from tenure.topology import digest, identity_json
from tests.cli.answers import contract_object
from tests.topology.builders import a_machine


class Host:
    """A host that knows one machine of two threads a core, or none any more."""

    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone

    def get(self, model: Any, name: str) -> Any:
        if self.gone:
            raise NotFound(f"{name} is gone")
        if model is Machine:
            spec = {"site": "local", "profile": "hw-1"}
            return Machine.model_validate({"metadata": {"name": name}, "spec": spec})
        profile = {"digest": digest(a_machine()), "topology": identity_json(a_machine())}
        return HardwareProfile.model_validate({"metadata": {"name": "hw-1"}, "spec": profile})


TWO_THREADS = cast(Client, Host())


def test_a_contract_holds_both_threads_of_its_core() -> None:
    assert held_cpus(TWO_THREADS, contract_object("chat-1", "default", "chat")) == (3, 11)
    assert cpus_on(TWO_THREADS, "laptop", [0, 5]) == (0, 5, 8, 13)


def test_where_the_profile_is_gone_a_core_is_the_cpu_that_names_it() -> None:
    assert cpus_on(cast(Client, Host(gone=True)), "laptop", [5, 0]) == (0, 5)


def test_where_the_machine_has_another_profile_by_now_a_core_that_it_lacks_is_named_as_it_is() -> None:
    assert cpus_on(TWO_THREADS, "laptop", [99, 5]) == (5, 99)


def test_who_repeats_a_request_sits_on_no_sibling_of_the_contracted_core(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[set[int]] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3, 10, 11})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cpus: moved.append(cpus))
    _stand_aside((3, 11))
    assert moved == [{2, 10}]
