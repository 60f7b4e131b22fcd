"""A file that is no kubeconfig is refused in words about the file."""

from pathlib import Path

import pytest

from tenure.client import NoConnection
from tenure.client.connection import from_kubeconfig
from tests.cli.host import Shell


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("root:x:0:0:root:/root:/bin/sh\n", "a mapping with clusters, users and contexts"),
        ("[1, 2]\n", "a mapping with clusters, users and contexts"),
        ("clusters: 5\ncontexts: 6\nusers: 7\n", "a mapping with clusters, users and contexts"),
        ("a: [\n", "line 2 is not YAML"),
        ("", "a mapping with clusters, users and contexts"),
    ],
)
def test_no_kubeconfig(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(NoConnection) as refused:
        from_kubeconfig(file)
    assert refused.value.reason == "InvalidKubeconfig"
    assert words in refused.value.message
    assert "attribute" not in refused.value.message
    assert "object" not in refused.value.message


def test_the_commands_that_read_it_say_so_too(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("root:x:0:0:root:/root:/bin/sh\n")
    ran = Shell(tmp_path)("config", "get-contexts", "--kubeconfig", file)
    assert (ran.code, ran.out) == (2, "")
    assert "[InvalidKubeconfig]" in ran.err
    assert "attribute" not in ran.err
