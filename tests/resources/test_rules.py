"""The validators' side of the rules of several fields; `test_crds_in_kubernetes.py` puts the same needs before CEL."""

import importlib
import inspect
import pkgutil

import pytest
from pydantic import ValidationError

from tenure.resources import Workload, kinds
from tenure.resources.base import Strict
from tests.resources.rule_cases import LET_THROUGH, REFUSED, TAKEN, workload


@pytest.mark.parametrize("case", [*REFUSED, *LET_THROUGH])
def test_what_breaks_a_rule_is_refused(case: str) -> None:
    with pytest.raises(ValidationError):
        Workload.model_validate(workload((REFUSED | LET_THROUGH)[case]))


@pytest.mark.parametrize("case", TAKEN)
def test_what_lies_just_within_is_taken(case: str) -> None:
    assert Workload.model_validate(workload(TAKEN[case]))


def test_every_model_that_weighs_fields_against_each_other_has_a_rule_for_kubernetes_too() -> None:
    modules = [importlib.import_module(f"{kinds.__name__}.{one.name}") for one in pkgutil.iter_modules(kinds.__path__)]
    models = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    weighing = [cls for cls in models if issubclass(cls, Strict) and "model_validator" in inspect.getsource(cls)]
    assert len(weighing) > 12
    assert [cls.__name__ for cls in weighing if "cel_rules" not in vars(cls)] == []
