"""How a command is started is read when it is written, and not found out by a contract that was signed for it."""

from typing import Any

import pytest
from pydantic import ValidationError

from tenure.resources.kinds.work import Run


def run(**more: Any) -> Run:
    return Run.model_validate({"command": ["serve"], **more})


@pytest.mark.parametrize("path", ["a", "a/b.py", ".env", "conf/.hidden/x", "..data/x", "...", "a.b/c..d"])
def test_a_file_lies_inside_the_runs_folder(path: str) -> None:
    assert run(files=[{"path": path, "content": ""}]).files[0].path == path


@pytest.mark.parametrize("path", ["", "/etc/x", "..", "../x", "a/../../x", ".", "a/./b", "a//b", "a/"])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(files=[{"path": path, "content": ""}])
    assert caught.value.errors()[0]["loc"] == ("files", 0, "path")


@pytest.mark.parametrize("port", [-4, 0, 65536])
def test_a_port_is_one_of_tcp(port: int) -> None:
    assert run(ports=[1, 65535]).ports == [1, 65535]
    with pytest.raises(ValidationError) as caught:
        run(ports=[8000, port])
    assert caught.value.errors()[0]["loc"] == ("ports", 1)


@pytest.mark.parametrize("secret", ["", "noslash", "/key", "name/", "a/b/c"])
def test_a_secret_is_named_with_its_key(secret: str) -> None:
    assert run(env=[{"name": "TOKEN", "secret": "hub/token"}]).env[0].secret == "hub/token"
    with pytest.raises(ValidationError) as caught:
        run(env=[{"name": "TOKEN", "secret": secret}])
    assert caught.value.errors()[0]["loc"] == ("env", 0, "secret")


def test_a_variable_has_one_source() -> None:
    assert run(env=[{"name": "EMPTY"}]).env[0].value is None
    with pytest.raises(ValidationError, match="a value or a secret, not both"):
        run(env=[{"name": "TOKEN", "value": "x", "secret": "hub/token"}])
