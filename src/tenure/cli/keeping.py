"""`tenure backup` and `tenure restore`: all that a home knows in one file, taken while it runs, and put back.

What is copied, and in which order: `home_parts`. Not copied: models (fetched anew by digest), journals, what workloads
wrote themselves, and a signing key that its owner keeps elsewhere: of that only the place.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

import tenure
from tenure.cli import exit_codes, failures
from tenure.cli.backup_file import BackupDamagedError, Manifest, NotABackupError, TargetUnwritableError, pack, unpack
from tenure.cli.files import unwritable
from tenure.cli.fleet_file import serves_fleet
from tenure.cli.home_parts import EVIDENCE, KEYS, MEASUREMENTS, PORT, RUNS, STATE, copy_home
from tenure.cli.homes import RESTORING, has_to_stay, is_empty, require_own, require_whole
from tenure.cli.ledger import offline_findings, say_that_it_agrees
from tenure.cli.options import Output
from tenure.cli.own.outcome import check_output
from tenure.cli.running import plane_of
from tenure.cli.screen import note, say, say_as
from tenure.cli.signing_key import brought_key_of
from tenure.cli.simulated_records import settle_records
from tenure.cli.typed import typed, typed_where_quoted
from tenure.client import Unreadable, home_directory
from tenure.engines.local.folder import RunFolder
from tenure.evidence import EvidenceError, KeyRing, LogReader
from tenure.evidence.keyring import HISTORY
from tenure.ledger import Finding
from tenure.measurement.copying import MeasurementsDamagedError, check_measurements
from tenure.quantities import SystemClock, format_instant
from tenure.server.privacy import close_to_others
from tenure.store import StoreError, verify
from tenure.store import restore as restore_store

BackupFile = Annotated[Path, Parameter(help="The backup's file.")]


def backup(file: BackupFile, *, output: Output = "text") -> int:
    """Copy this home's state into one file, while it runs; the copy is verified before it is called one.

    In it: objects, measurements, records of runs, evidence, keys and tokens. Not in it: models (fetched anew by
    digest), journals and logs of runs, what workloads wrote themselves, and a signing key that you keep elsewhere.

    The file holds the tokens, and the signing key unless you brought one of your own: only its owner can read it, keep
    it like a key.
    """
    as_json = check_output(output)
    home = home_directory()
    if not (home / STATE).exists():
        raise failures.not_found(f"{home} holds no state", "name a home with --home DIR, or `tenure up`")
    if file.exists():
        raise _taken(file)
    with _beside(file) as staged:
        try:
            version = copy_home(home, staged)
            statements = _check_evidence(staged)
            brought = brought_key_of(_keys_of(staged))
        except (StoreError, EvidenceError, MeasurementsDamagedError) as error:
            raise failures.unverifiable(
                f"no backup was made: {error}", "StoreUnreadable", "`tenure doctor` says what is damaged"
            ) from None
        about = {
            "home": str(home.resolve()),
            "at": format_instant(SystemClock().now_ms()),
            "tenure": tenure.__version__,
            "objectsVersion": version,
            "statements": statements,
            "signingKey": brought,
        }
        try:
            manifest = pack(staged, file, about)
        except FileExistsError:
            raise _taken(file) from None
        except TargetUnwritableError as failed:
            raise unwritable(str(file), failed.error) from None
    if as_json:
        say_as("Backup", {"file": str(file), "files": len(manifest.files), "bytes": manifest.bytes, **about})
    else:
        say(f"{file}: {len(manifest.files)} files, {manifest.bytes} bytes, {statements} statements of evidence")
        if brought is None:
            note("it holds the signing key and the tokens; keep it like a key")
        else:
            note(f"it holds the tokens; the signing key is yours, is not in it, and is needed: {brought['file']}")
    return exit_codes.YES


def restore(file: BackupFile, *, output: Output = "text") -> int:
    """Put a backup into a home that is empty, and recount what it holds against what really runs here.

    Nothing is put back from a file that is damaged. Exits 1 when the recount disagrees, for instance because the work
    of a contract does not run here; `tenure up` then brings it back or ends it, and says so.
    """
    as_json = check_output(output)
    home = home_directory()
    if home.exists() and not home.is_dir():
        raise failures.usage(f"{home} is a file, no folder", "name an empty folder with --home DIR", "NotAHome")
    require_whole(home)
    if plane_of(home) is not None or (home.exists() and not is_empty(home)):
        raise failures.conflict(f"{home} is not empty", "HomeNotEmpty", "name an empty one with --home DIR")
    require_own(home)
    _require_file(file)
    with _inside(home) if home.exists() and has_to_stay(home) else _beside(home) as staged:
        try:
            manifest = _unpacked(file, staged)
            verify(staged / STATE)
            check_measurements(staged / MEASUREMENTS)
            _check_evidence(staged)
            _put_back(staged, manifest, home)
        except NotABackupError as error:
            said = f"{file} is no backup, or lost its beginning: {error}; nothing was restored"
            step = "name a file that `tenure backup FILE` wrote; where it is one, take an older backup"
            raise failures.usage(said, step, "NotABackup") from None
        except BackupDamagedError as error:
            raise _damaged(file, error.problems) from None
        except (StoreError, EvidenceError, MeasurementsDamagedError) as error:
            raise _damaged(file, [str(error)]) from None
    findings = _findings(home)
    errors = [finding for finding in findings if finding.severity == "error"]
    brought = brought_key_of(_keys_of(home))
    if as_json:
        found = [finding.to_json() for finding in findings]
        about = {"home": str(home), "backup": manifest.about, "signingKey": brought}
        say_as("Restored", {**about, "agrees": not errors, "findings": found})
    else:
        _tell(home, manifest, findings, brought)
    return exit_codes.NO if errors else exit_codes.YES


def _findings(home: Path) -> list[Finding]:
    """The recount; where something that counts is refused by this version, that alone. It is put back all the same:
    `tenure up` serves it until it is corrected."""
    try:
        return offline_findings(home)
    except Unreadable as error:
        subject = "/".join(part for part in (error.kind, error.namespace, error.name) if part)
        return [Finding(error.reason, subject, f"nothing is recounted: {error}")]


def _require_file(file: Path) -> None:
    """Raises Failure: nothing is there, or something that no backup is, such as a folder."""
    if not file.exists():
        step = "name a file that `tenure backup FILE` wrote"
        raise failures.Failure(
            f"{file}: no such file", exit_code=exit_codes.NOT_FOUND, reason="FileNotFound", next_step=step
        )
    if not file.is_file():
        sort = "a folder" if file.is_dir() else "no regular file"
        raise failures.usage(f"{file} is {sort}", "name a file that `tenure backup FILE` wrote", "NotABackup")


def _unpacked(file: Path, staged: Path) -> Manifest:
    """Raises BackupDamagedError, OSError."""
    manifest = unpack(file, staged)
    lacking = [name for name in ("home", "at") if not isinstance(manifest.about.get(name), str)]
    if lacking:
        raise BackupDamagedError([f"its list does not say {' and '.join(lacking)}"])
    return manifest


def _tell(home: Path, manifest: Manifest, findings: list[Finding], brought: dict[str, Any] | None) -> None:
    say(f"{home} is as {manifest.about['home']} was at {manifest.about['at']}")
    for finding in findings:
        mark = "✗" if finding.severity == "error" else "·"
        say(f"  {mark} {finding.code} {finding.subject}: {typed_where_quoted(finding.message)}")
    if not any(finding.severity == "error" for finding in findings):
        say_that_it_agrees(simulated=serves_fleet(home))
    if brought is not None and not brought["present"]:
        say(f"  ✗ the signing key is its owner's and not in a backup: {brought['file']} is not there")
        say(typed("  next   put it back there, or: tenure up --signing-key FILE"))
        return
    if brought is not None:
        say(f"  ✓ the signing key is its owner's, in {brought['file']}")
    say(typed("  next   tenure up"))


def _put_back(staged: Path, manifest: Manifest, home: Path) -> None:
    """Into place: objects go on above every version that anybody knew, so no watch resumes across the gap.

    Raises StoreError.
    """
    copied = staged.with_name(staged.name + ".objects")
    try:
        os.replace(staged / STATE, copied)
        restore_store(copied, staged / STATE)
    finally:
        copied.unlink(missing_ok=True)
    if str(home.resolve()) != manifest.about["home"]:
        # Records of runs name the folders and groups of their home. Elsewhere they would claim another's processes.
        shutil.rmtree(staged / RUNS, ignore_errors=True)
        (staged / PORT).unlink(missing_ok=True)  # it is that home's, and its clients would be answered by another
    if serves_fleet(staged):
        settle_records(staged)
    if staged.parent == home:
        _fill(home, staged)
    else:
        if home.exists():
            home.rmdir()  # it is empty
        os.rename(staged, home)
    for run in (home / RUNS).glob("*"):
        RunFolder(str(run)).make()  # logs, pipes and the working directory, which are not copied, are empty


def _fill(home: Path, staged: Path) -> None:
    """All of it or nothing: one that is cut off leaves no whole home, as `staged` tells, and one that can be purged."""
    close_to_others(home)
    names = sorted(os.listdir(staged))
    try:
        for name in names:
            os.rename(staged / name, home / name)
    except BaseException:
        for name in names:
            if not (staged / name).exists():
                os.rename(home / name, staged / name)
        raise


def _beside(target: Path) -> AbstractContextManager[Path]:
    """An empty folder on the same file system, gone afterwards unless it was moved away. Raises Failure."""
    return _staged(target.with_name(f".{target.name}.{os.getpid()}.staged"), target)


def _inside(home: Path) -> AbstractContextManager[Path]:
    """As `_beside`, of a folder that is there: what lies beside it may lie on another file system."""
    return _staged(home / RESTORING, home)


@contextmanager
def _staged(folder: Path, target: Path) -> Iterator[Path]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise unwritable(str(target), error) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_evidence(folder: Path) -> int:
    """How many statements the copied log holds; every one is read. Raises EvidenceError."""
    if not (folder / EVIDENCE / "log").exists():
        return 0
    reader = LogReader.open(folder / EVIDENCE, keys=KeyRing.read(folder / KEYS))
    try:
        return reader.size
    finally:
        reader.close()


def _keys_of(folder: Path) -> KeyRing | None:
    """The public history of a home or a copy; None where nothing was ever signed. Raises EvidenceError."""
    return KeyRing.read(folder / KEYS) if (folder / KEYS / HISTORY).exists() else None


def _taken(file: Path) -> failures.Failure:
    sort = "is a folder" if file.is_dir() else "exists"
    return failures.conflict(f"{file} {sort}; no backup was made", "AlreadyExists", "choose another name")


def _damaged(file: Path, problems: tuple[str, ...] | list[str]) -> failures.Failure:
    causes = [{"code": "BackupDamaged", "message": problem} for problem in problems]
    return failures.Failure(
        f"{file} is damaged; nothing was restored",
        exit_code=exit_codes.UNVERIFIABLE,
        reason="BackupDamaged",
        next_step="take an older backup",
        causes=causes,
    )
