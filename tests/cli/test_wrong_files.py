"""Files that are not what was meant, at every command that takes one: a code, what to do, and no fault of ours."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import tenure.cli
from tenure.evidence import SigningKey
from tenure.resources.reasons import BY_CODE
from tests.cli.host import Ran, Shell
from tests.requirements.fleets import fleet, hopper

FILE = "FILE"
SORTS: dict[str, Callable[[Path], Path]] = {
    "missing": lambda path: path,
    "a folder": lambda path: (path.mkdir(), path)[1],
    "binary": lambda path: (path.write_bytes(bytes(range(256)) * 8), path)[1],
    "empty": lambda path: (path.touch(), path)[1],
    "ten megabytes": lambda path: (path.write_bytes(b"x" * (10 << 20)), path)[1],
    "below a file": lambda path: (path.touch(), path / "inside")[1],
}
READERS = {
    "lint": ("lint", "-f", FILE),
    "apply": ("apply", "-f", FILE),
    "create": ("create", "-f", FILE),
    "diff": ("diff", "-f", FILE),
    "delete": ("delete", "-f", FILE),
    "get": ("get", "-f", FILE),
    "wait": ("wait", "--for=create", "-f", FILE),
    "ask": ("ask", "-f", FILE),
    "request": ("request", "-f", FILE),
    "trial": ("trial", "--for", "1m", "-f", FILE),
    "patch": ("patch", "workload", "x", "--patch-file", FILE),
    "patch as JSON": ("patch", "workload", "x", "--type", "json", "--patch-file", FILE),
    "inventory scan": ("inventory", "scan", "--no-try", "--from", FILE),
    "inventory scan of a tree": ("inventory", "scan", "--no-try", "--root", FILE),
    "inventory lint": ("inventory", "lint", FILE),
    "capacity": ("capacity", "--fleet", FILE),
    "a fleet of manifests": ("capacity", "--fleet", f"{FILE}.yaml"),
    "simulate a fleet": ("simulate", FILE, FILE),
    "simulate a trace": ("simulate", "fleet.csv", FILE),
    "up with a fleet": ("up", "--fleet", FILE),
    "up with a key": ("up", "--signing-key", FILE),
    "restore": ("restore", FILE),
    "a public key": ("evidence", "verify", "bundle", "--public-key", FILE),
    "a checkpoint": ("evidence", "verify", "bundle", "--public-key", "key.pem", "--checkpoint", FILE),
    "a kubeconfig": ("get", "workloads", "--kubeconfig", FILE),
    "contexts": ("config", "use-context", "x", "--kubeconfig", FILE),
}
OFFLINE = ("lint", "inventory", "capacity", "simulate", "up", "restore", "evidence", "config")
"""Commands that ask no host. The others look at what they were given in the presence of one."""
NAMED = {"a public key": "--public-key", "a checkpoint": "--checkpoint"}
"""Those that take several files say which of them is meant."""
EXITS = {"up with a key": (2,), "a kubeconfig": (7,)}
"""A key that is away is unusable, whatever the reason; where a kubeconfig says nothing, nobody is reached."""
UNREAD = {("a kubeconfig", "ten megabytes"), ("contexts", "ten megabytes")}
"""The reader of YAML takes seconds for them; nothing of ours is in it."""


def refused(ran: Ran, *codes: int) -> str:
    """The stable code of an error that reads as errors do: what, where, what to do."""
    assert ran.code in codes, (ran.code, ran.err)
    assert ran.out == "", ran.out
    assert "Traceback" not in ran.err
    assert "→" in ran.err, ran.err
    found = re.findall(r"\[(\w+)\]$", ran.err, flags=re.MULTILINE)
    assert found, ran.err
    assert [code for code in found if code not in BY_CODE] == [], ran.err
    return found[0]


@pytest.fixture
def desk(offline: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A folder with what the commands need beside the file that is wrong; no host runs, and none is started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    fleet(tmp_path / "fleet.csv", hopper("m-0", "rack-0"))
    (tmp_path / "trace.csv").write_text("name,arrival_s,duration_s\na,0,60\n")
    (tmp_path / "key.pem").write_text(SigningKey.generate().public.pem)
    return offline


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_read_and_is_not_what_was_meant(
    live_home: Path, desk: Shell, tmp_path: Path, reader: str
) -> None:
    run = desk if READERS[reader][0] in OFFLINE else Shell(live_home)
    for number, (sort, made) in enumerate(SORTS.items()):
        if (reader, sort) in UNREAD:
            continue
        suffix = ".yaml" if READERS[reader][-1].endswith(".yaml") else ""
        file = made(tmp_path / f"wrong-{number}{suffix}")
        ran = run(*(str(file) if token.startswith(FILE) else token for token in READERS[reader]))
        refused(ran, *EXITS.get(reader, (3,) if sort == "missing" else (2, 3)))
        assert NAMED.get(reader, "") in ran.err, ran.err
    assert not desk.home.exists(), "nothing is left behind"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".staged")] == []


@pytest.mark.parametrize("sort", ["binary", "empty", "ten megabytes"])
def test_what_is_no_bundle_does_not_hold(desk: Shell, tmp_path: Path, sort: str) -> None:
    """No verdict on a contract can rest on it, so it is no question of usage: the answer is no."""
    file = SORTS[sort](tmp_path / "bundle")
    ran = desk("evidence", "verify", file, "--public-key", "key.pem")
    assert (ran.code, ran.err) == (1, "")
    assert "The bundle does not hold." in ran.out


@pytest.mark.parametrize(("sort", "code"), [("missing", 3), ("a folder", 2), ("below a file", 2)])
def test_a_bundle_that_cannot_be_read(desk: Shell, tmp_path: Path, sort: str, code: int) -> None:
    file = SORTS[sort](tmp_path / "bundle")
    assert refused(desk("evidence", "verify", file, "--public-key", "key.pem"), code) == "BundleUnreadable"


@pytest.mark.parametrize(
    ("tokens", "code"),
    [
        (("backup", FILE), "FileUnwritable"),
        (("init", "--to", FILE), "FileUnwritable"),
        (("simulate", "fleet.csv", "trace.csv", "--html", f"{FILE}.html"), "FileNotFound"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_a_file_that_cannot_be_written(
    live_home: Path, desk: Shell, tmp_path: Path, tokens: tuple[str, ...], code: str
) -> None:
    (tmp_path / "file").touch()
    shell = Shell(live_home) if tokens[0] == "backup" else desk
    target = tmp_path / "file" / "inside"
    ran = shell(*(token.replace(FILE, str(target)) for token in tokens))
    assert refused(ran, 2) == code
    assert str(target) in ran.err, "named as its user named it"
    assert ".staged" not in ran.err


def test_a_folder_is_not_written_over(live_home: Path, desk: Shell, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert refused(Shell(live_home)("backup", tmp_path / "there"), 4) == "AlreadyExists"
    assert refused(desk("init", "--to", tmp_path / "there"), 2) == "FileExists"
    assert refused(desk("init", "--force", "--to", tmp_path / "there"), 2) == "FileUnwritable"
    page = ("simulate", "fleet.csv", "trace.csv", "--html", tmp_path / "there")
    assert refused(desk(*page), 2) == "FileUnwritable"


def test_a_full_disk_is_no_fault_of_tenure(desk: Shell) -> None:
    assert refused(desk("init", "--force", "--to", "/dev/full"), 7) == "DiskFull"


def test_a_disk_that_fails_is_no_fault_of_tenure(desk: Shell) -> None:
    memory = Path("/proc/self/mem")  # opens, and answers the first read with an error that names no file
    if not memory.exists():
        pytest.skip("needs Linux")
    assert refused(desk("lint", "-f", memory), 7) == "DiskFailing"


def test_a_backup_that_is_there_is_kept(live_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("mine")
    assert refused(Shell(live_home)("backup", file), 4) == "AlreadyExists"
    assert file.read_text() == "mine"


def test_a_backup_goes_into_a_folder_that_is_not_there_yet(live_home: Path, tmp_path: Path) -> None:
    assert Shell(live_home)("backup", tmp_path / "new" / "backup").code == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["backup"]


@pytest.mark.parametrize("sort", ["a folder", "binary", "empty", "ten megabytes"])
def test_what_was_never_a_backup_is_not_called_damaged(offline: Shell, tmp_path: Path, sort: str) -> None:
    file = SORTS[sort](tmp_path / "backup")
    assert refused(offline("restore", file), 2) == "NotABackup"
    assert not offline.home.exists(), "nothing is put there"


HOMES = (
    ("status",),
    ("up",),
    ("down", "--purge", "--yes"),
    ("backup", "b"),
    ("restore", "b"),
    ("get", "workloads"),
    ("evidence", "show"),
    ("ledger", "check"),
)


@pytest.mark.parametrize("tokens", HOMES, ids=" ".join)
def test_a_home_that_is_a_file(desk: Shell, tmp_path: Path, tokens: tuple[str, ...]) -> None:
    file = tmp_path / "home"
    file.write_text("mine")
    assert refused(desk(*tokens, "--home", file), 2) == "NotAHome"
    refused(Shell(file)(*tokens), 2, 3, 7)
    assert file.read_text() == "mine"


# What a call of each of these says: where its code and its next step stand among the positional arguments.
CALLS = {"usage": (2, 1), "conflict": (1, 2), "unverifiable": (1, 2), "Failure": (None, None), "Problem": (0, 3)}


def test_no_error_is_written_whose_code_the_table_lacks() -> None:
    """The next one that somebody writes has a code of the one table, and a step of its own or the table's."""
    seen = 0
    for file in sorted(Path(tenure.cli.__file__).parent.rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name not in CALLS:
                continue
            code_at, step_at = CALLS[name]
            code = given(call, code_at, ("reason", "code"))
            if not isinstance(code, ast.Constant):
                continue
            seen += 1
            where = f"{file.name}:{call.lineno}: {code.value}"
            assert code.value in BY_CODE, where
            assert given(call, step_at, ("next_step", "causes")) or BY_CODE[code.value].next_step, where
    assert seen > 30, "the errors of the command line are found"


def given(call: ast.Call, index: int | None, names: tuple[str, ...]) -> ast.expr | None:
    if index is not None and len(call.args) > index:
        return call.args[index]
    return next((keyword.value for keyword in call.keywords if keyword.arg in names), None)
