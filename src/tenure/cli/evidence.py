"""`tenure evidence`: what verdicts rest on, shown, exported as one file, and verified by anyone, anywhere, offline."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from tenure.cli import exit_codes
from tenure.cli.evidence_shown import say_checkpoint, say_history, say_public_key, say_report, show_contract, show_log
from tenure.cli.failures import Failure, not_found, usage
from tenure.cli.options import Output
from tenure.cli.screen import say, say_as
from tenure.cli.typed import typed
from tenure.client import home_directory
from tenure.evidence import (
    BundleError,
    EvidenceError,
    EvidenceLog,
    KeyRing,
    LogDamagedError,
    LogInUseError,
    LogReader,
    PublicKey,
    SignatureError,
    UnknownStatementError,
    brought_key,
    contract_sources,
    export_bundle,
    parse_checkpoint,
    verify_bundle,
)
from tenure.quantities import SystemClock, parse_instant

app = App(name="evidence", help="What verdicts rest on: show it, export it, verify it offline.")

Namespace = Annotated[str, Parameter(name=["--namespace", "-n"], help="Namespace of the contract.")]
Shown = Annotated[int, Parameter(name="--tail", help="Show only the newest so many statements; 0 shows all.")]
Key = Annotated[Path | None, Parameter(help="The private key, where its owner keeps it elsewhere than in TENURE_HOME.")]
FILE_BYTES_MAX = 1 << 20


@app.command
def show(
    name: str | None = None,
    *,
    namespace: Namespace = "default",
    public_key: Annotated[bool, Parameter(negative=(), help="Print the public key, to give to others.")] = False,
    history: Annotated[bool, Parameter(negative=(), help="Print the history of public keys.")] = False,
    checkpoint: Annotated[
        bool, Parameter(negative=(), help="Print a signed checkpoint of now, to keep and to verify against.")
    ] = False,
    tail: Shown = 20,
    output: Output = "text",
) -> int:
    """Show the evidence log, or what it holds of one contract (or of a workload's newest contract)."""
    _check_output(output)
    if public_key + history + checkpoint > 1:
        raise usage("one of --public-key, --history and --checkpoint at a time", "leave the others out")
    with faces():
        keys = KeyRing.read(home_directory() / "keys")
        if public_key:
            say_public_key(keys, output)
            return exit_codes.YES
        if history:
            say_history(keys, output)
            return exit_codes.YES
        with open_log(keys) as log:
            source = source_of(log, namespace, name) if name else None
            if checkpoint:
                say_checkpoint(log.checkpoint([source] if source else []), output)
            elif source:
                show_contract(log, source, tail, output)
            else:
                show_log(log, keys, output)
    return exit_codes.YES


@app.command
def export(
    name: str,
    *,
    to: Annotated[Path | None, Parameter(name=["--to", "-f"], help="The file; without it NAME.evidence.jsonl.")] = None,
    namespace: Namespace = "default",
    checkpoint: Annotated[
        list[Path] | None, Parameter(help="A checkpoint that the bundle shall prove as well; may repeat.")
    ] = None,
    key: Key = None,
    output: Output = "text",
) -> int:
    """Export all that one contract's verdicts rest on (or a workload's newest contract's) as one file."""
    _check_output(output)
    path = to or Path(f"{name}.evidence.jsonl")
    with faces():
        earlier = [_read_note(file) for file in checkpoint or []]
        keys = KeyRing.read(home_directory() / "keys", owner_key=key)
        with open_log(keys) as log:
            sources = [source_of(log, namespace, name)]
            now_ms = SystemClock().now_ms()
            summary = export_bundle(log, path, sources=sources, keys=keys, at_ms=now_ms, earlier=earlier)
    if output == "json":
        say_as(
            "ExportedEvidence",
            {
                "file": str(summary.path),
                "subject": summary.subject,
                "statements": summary.statements,
                "inputs": summary.inputs,
                "bytes": summary.bytes,
                "keyId": keys.public_keys[-1].id,
                "checkpoint": summary.checkpoint,
            },
        )
        return exit_codes.YES
    say(f"{summary.path}: {summary.statements} statements on {summary.subject}, {summary.bytes:,} bytes")
    say(typed("  give it with the public key (`tenure evidence show --public-key`), then anyone can run"))
    # Typed by whoever it is given to, who has no home of this one.
    say(f"  tenure evidence verify {summary.path} --public-key KEY.pem [--checkpoint CHECKPOINT]")
    return exit_codes.YES


@app.command
def verify(
    file: Path,
    *,
    public_key: Annotated[Path, Parameter(help="The provider's public key, a PEM file.")],
    checkpoint: Annotated[
        Path | None, Parameter(help="The checkpoint that you were given; proves that nothing since is left out.")
    ] = None,
    as_of: Annotated[
        str | None, Parameter(help="As of when to check an old bundle, like 2026-12-01T09:00:00Z; else now.")
    ] = None,
    output: Output = "text",
) -> int:
    """Check a bundle offline: every signature, number and hash, and each verdict computed again from its samples.

    Accounts and credit are drawn again from the verdicts and the schedule in the signed terms.

    Exits 0 when all holds, 1 when anything does not (the statement and the field are named), 7 when all holds but there
    are windows on which no verdict was ever stated, verdicts by another version of the judge, accounts or credit by
    other rules than this version's, or the bundle is no answer any more: of a contract that was not settled when it was
    made, and older than one accounting period. Needs no server, no network and no state.
    """
    from tenure.controllers.contract.checking import Recomputing, owed, speaks_for
    from tenure.controllers.contract.counting import counted

    _check_output(output)
    now_ms = SystemClock().now_ms() if as_of is None else _instant(as_of)
    with faces():
        key = PublicKey.parse(_read("--public-key", public_key), path=f"--public-key {public_key}")
        note = _read_note(checkpoint) if checkpoint else None
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        report = verify_bundle(
            file,
            public_key=key,
            checkpoint=note,
            recompute=Recomputing(),
            owed=owed,
            counted=counted,
            speaks_for=speaks_for,
            now_ms=now_ms,
            processes=cores,
        )
    if output == "json":
        say_as("Verification", report.to_wire())
    else:
        say_report(report)
    if not report.ok:
        return exit_codes.NO
    return exit_codes.YES if report.verifiable else exit_codes.UNVERIFIABLE


@app.command
def rotate(*, key: Key = None, output: Output = "text") -> int:
    """Sign with a new key from now on, which the old one vouches for; or with one that you bring by --key.

    A key that you bring stays in its file: the home remembers where it is, and later starts look for it there.
    Tenure must be down: whoever writes the log holds its key. Contracts and what they run are not touched by that.
    """
    _check_output(output)
    clock, home = SystemClock(), home_directory()
    with faces():
        keys = KeyRing.read(home / "keys")
        log = EvidenceLog.open_for_writing(home / "evidence", keys=keys, clock=clock)
        try:
            record = log.rotate_key(to=brought_key(key, home=home) if key else None, at=key)
        finally:
            log.close()
    if output == "json":
        say_as("SigningKey", record.to_wire())
    else:
        say(f"key {record.key.id[:16]}… signs from now on; give its public key, and the history, to whoever verifies")
    return exit_codes.YES


def source_of(log: LogReader, namespace: str, name: str) -> str:
    """The newest source about a contract of this name, else about a workload of this name."""
    wanted = name.removeprefix("contract/").removeprefix("workload/")
    found = [] if name.startswith("workload/") else contract_sources(log, namespace=namespace, name=wanted)
    if not found and not name.startswith("contract/"):
        found = [source for source in log.sources() if _workload_of(log, source) == (namespace, wanted)]
    if not found:
        raise not_found(
            f"nothing was stated about a contract or workload {wanted!r} in namespace {namespace}",
            "`tenure evidence show` lists what there is",
        )
    return found[-1]


def _workload_of(log: LogReader, source: str) -> tuple[str, str] | None:
    place = log.find(f"{source}/terms")
    if place is None:
        return None
    statement = log.statement(place)
    _, namespace, _ = statement.subjects[0].name.split("/", 2)
    return namespace, str(statement.body["terms"].get("workload", {}).get("name"))


@contextmanager
def open_log(keys: KeyRing) -> Iterator[LogReader]:
    """The log of this home, for reading, beside whoever writes it."""
    log = LogReader.open(home_directory() / "evidence", keys=keys)
    try:
        yield log
    finally:
        log.close()


@contextmanager
def faces() -> Iterator[None]:
    """Turn the evidence room's errors into failures of the command line."""
    try:
        yield
    except EvidenceError as error:
        code = exit_codes.USAGE
        if isinstance(error, UnknownStatementError):
            code = exit_codes.NOT_FOUND
        elif isinstance(error, LogInUseError):
            code = exit_codes.CONFLICT
        elif isinstance(error, LogDamagedError):
            code = exit_codes.NO
        elif isinstance(error, BundleError) and isinstance(error.__cause__, FileNotFoundError):
            code = exit_codes.NOT_FOUND
        where = f"{error.path}: " if error.path else ""
        raise Failure(
            f"{where}{error.message}", exit_code=code, reason=error.code, next_step=error.next_step
        ) from error


def _read(option: str, path: Path) -> str:
    """The text of a small file that an option names. Raises Failure, which names the option."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise Failure(
            f"{option} {path}: {(error.strerror or str(error)).lower()}",
            exit_code=exit_codes.NOT_FOUND if missing else exit_codes.USAGE,
            reason="FileNotFound" if missing else "FileUnreadable",
        ) from None
    step = f"name the file that holds what {option} asks for"
    if len(data) > FILE_BYTES_MAX:
        raise usage(f"{option} {path}: more than {FILE_BYTES_MAX >> 20} MiB", step, "FileTooLarge")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise usage(f"{option} {path}: no text file", step, "NotUtf8") from None


def _read_note(path: Path) -> str:
    """A checkpoint as people keep them: line ends of another system, or none at the end, do not matter.

    What is no checkpoint at all is the wrong file, and says nothing about a bundle. Raises Failure.
    """
    note = _read("--checkpoint", path).replace("\r\n", "\n").strip("\n") + "\n"
    try:
        parse_checkpoint(note)
    except SignatureError as error:
        raise usage(f"--checkpoint {path}: {error.message}", error.next_step, error.code) from None
    return note


def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise usage(f"--as-of: {error}", "write it like 2026-12-01T09:00:00Z", "InvalidInstant") from None


def _check_output(output: str) -> None:
    if output not in ("text", "json"):
        raise usage(f"-o {output} is neither text nor json", "use -o text or -o json", "UnknownFormat")
