"""Checking a bundle offline: with the public key, better with the checkpoint that its user was given.

Everything is checked even after something failed, so that the report names what fails rather than that something does.
Only where nothing says how to read the rest (its head, its keys, its checkpoint) is the rest not looked at.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tenure.evidence.bundle_file import BundleFile, hashes, members, parse, parse_bundle
from tenure.evidence.bundles import FORMAT, SEAL_TYPE, SECTIONS, seal_of
from tenure.evidence.canonical import parse_exactly
from tenure.evidence.checkpoints import Checkpoint, verify_checkpoint
from tenure.evidence.coverage import CountedBy, OwedBy
from tenure.evidence.dsse import open_envelope
from tenure.evidence.entries import Entry, read_entries
from tenure.evidence.errors import BundleError, EvidenceError
from tenure.evidence.keyring import parse_history, trusted_keys
from tenure.evidence.keys import PublicKey
from tenure.evidence.meaning import check_inputs, check_meaning, contradicted
from tenure.evidence.merkle import EMPTY_ROOT, is_consistent, root_from_cover
from tenure.evidence.recomputing import Recompute
from tenure.evidence.report import Failure, Report, of
from tenure.evidence.timeliness import SpeaksFor, check_time
from tenure.quantities import parse_instant


def verify_bundle(
    path: Path,
    *,
    public_key: PublicKey,
    checkpoint: str | None = None,
    recompute: Recompute | None = None,
    owed: OwedBy | None = None,
    counted: CountedBy | None = None,
    speaks_for: SpeaksFor | None = None,
    now_ms: int | None = None,
    processes: int = 1,
) -> Report:
    """Check the bundle at `path` with one trusted public key, offline.

    `checkpoint`: the signed note that the user was given at acceptance, or any later one; the bundle must go on from
    it. `recompute`: the pure function that gives what each verdict must say; without it verdicts are checked to be
    what was signed, not to follow from their samples. `owed`: what must have been judged, so that windows cut off at
    either end are seen. `counted`: what accounts and credit must say. `now_ms`: the verifier's own time (Unix ms), or
    as of when an old bundle is checked; with `speaks_for` it shows a bundle that ends earlier than it must.
    `processes`: over how many it is spread.
    Raises BundleError only when the file cannot be read at all.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        step = "name the file that `tenure evidence export` wrote"
        raise BundleError(f"cannot be read ({error.strerror})", path=str(path), next_step=step) from error
    report = Report()
    try:
        bundle = parse_bundle(data)
        _check_frames(bundle, report)
        keys = _check_keys(bundle, public_key, report)
        _check_seal(bundle, keys, report)
        head, created_ms = _check_head(bundle, report)
        now = _check_checkpoint(bundle, keys, head, report)
        entries = read_entries(bundle, keys)
        before = report.failed
        _check_order(entries, head, now, report)
        whole = report.failed == before
        _check_tree(bundle, entries, now, report)
        _check_earlier(bundle, keys, now, checkpoint, entries, report)
        inputs, damaged = check_inputs(bundle, report)
        report.created_ms = created_ms
        terms = check_meaning(
            entries,
            inputs,
            damaged,
            recompute,
            report,
            owed=owed,
            counted=counted,
            whole=whole,
            created_ms=created_ms,
            processes=processes,
        )
        if now_ms is not None:
            made = [entry.statement for entry in entries if entry.statement is not None]
            check_time(
                report, terms=terms, statements=made, speaks_for=speaks_for, created_ms=created_ms, now_ms=now_ms
            )
        report.complete = report.complete and not report.unjudged and not report.untimely
    except EvidenceError as error:
        report.fail(Failure(where=error.path or "bundle", field=error.path, message=error.message))
    report.failures.sort(key=_follows)
    return report


def _follows(failure: Failure) -> int:
    """The cause first: what fails in one statement makes what others say of it fail as well, and the seal and tree."""
    if not failure.where.startswith("statement "):
        return 2
    return 1 if failure.where == contradicted(failure.statement_id) else 0


def _check_frames(bundle: BundleFile, report: Report) -> None:
    """Each line is one that a bundle has, in a bundle's order; those of statements are named with their statements."""
    for section, lines in bundle.lines.items():
        for line in lines if section != "statement" else ():
            if line.wrong:
                report.fail(Failure(f"line {line.number}", section, line.wrong))


def _check_keys(bundle: BundleFile, anchor: PublicKey, report: Report) -> tuple[PublicKey, ...]:
    (line,) = bundle.lines["keys"]
    keys = trusted_keys(parse_history(line.value, path="keys"), anchor=anchor)
    report.keys = tuple(key.id for key in keys)
    return keys


def _check_seal(bundle: BundleFile, keys: Sequence[PublicKey], report: Report) -> None:
    try:
        sealed = parse_exactly(open_envelope(bundle.only("seal"), keys=keys[-1:], payload_type=SEAL_TYPE))
    except EvidenceError as error:
        report.fail(Failure("seal", error.path, error.message))
        return
    lines = (line for section in SECTIONS for line in bundle.lines[section])
    for section, found in seal_of((line.section, line.text) for line in lines).items():
        if not isinstance(sealed, dict) or sealed.get(section) != found:
            report.fail(Failure(section, section, "these lines are not the ones that were sealed"))


def _check_head(bundle: BundleFile, report: Report) -> tuple[dict[str, int], int]:
    """How many statements each source must have in this bundle, and when it was made (Unix ms)."""
    head = members(bundle.only("bundle"), {"format", "created", "log", "subject", "sources"}, "bundle")
    if head["format"] != FORMAT:
        raise BundleError(f"format {head['format']!r} is not {FORMAT}", path="bundle.format")
    report.subject, report.log = str(head["subject"]), str(head["log"])
    if not isinstance(head["sources"], list):
        raise BundleError("a list is expected", path="bundle.sources")
    counts: dict[str, int] = {}
    for source in head["sources"]:
        name, count = (members(source, {"name", "count"}, "bundle.sources")[key] for key in ("name", "count"))
        if not isinstance(name, str) or type(count) is not int or count < 0 or name in counts:
            raise BundleError("each source has one name and one count", path="bundle.sources")
        counts[name] = count
    try:
        return counts, parse_instant(str(head["created"]))
    except ValueError as error:
        raise BundleError(str(error), path="bundle.created") from None


def _check_checkpoint(
    bundle: BundleFile, keys: Sequence[PublicKey], head: Mapping[str, int], report: Report
) -> Checkpoint:
    line = members(bundle.only("checkpoint"), {"note", "cover"}, "checkpoint")
    now = verify_checkpoint(str(line["note"]), keys=keys)
    report.size, report.checkpoint = now.size, str(line["note"])
    if now.origin != report.log:
        report.fail(Failure("checkpoint", "note", f"of the log {now.origin}, not {report.log}"))
    if dict(now.heads) != dict(head):
        report.fail(Failure("checkpoint", "note", f"counts {dict(now.heads)}; the bundle says {dict(head)}"))
    return now


def _check_order(entries: Sequence[Entry], head: Mapping[str, int], now: Checkpoint, report: Report) -> None:
    """Every source's statements from 0 to the last, each once, in the log's order."""
    expected, last = dict.fromkeys(head, 0), -1
    for entry in entries:
        for failure in entry.failures:
            report.fail(Failure(entry.where, failure.path, failure.message, entry.index, entry.id))
        if entry.index is None:
            continue
        if not last < entry.index < now.size:
            report.fail(of(entry, "index", f"{entry.index} follows {last} in a log of {now.size}"))
        last = entry.index
        statement = entry.statement
        if statement is None:
            continue
        if statement.source not in expected:
            report.fail(of(entry, "$.predicate.source", f"{statement.source} is no source of this bundle"))
        elif statement.sequence != expected[statement.source]:
            missing = f"number {expected[statement.source]} should follow, not {statement.sequence}"
            report.fail(of(entry, "$.predicate.sequence", f"{missing}: statements are missing or repeated"))
        expected[statement.source] = statement.sequence + 1
    for source, count in head.items():
        if expected[source] != count:
            report.fail(
                Failure(source, "count", f"{count} statements were made, the bundle ends after {expected[source]}")
            )


def _check_tree(bundle: BundleFile, entries: Sequence[Entry], now: Checkpoint, report: Report) -> None:
    cover = hashes(bundle.only("checkpoint")["cover"], "checkpoint.cover")
    leaves = {entry.index: entry.leaf for entry in entries if entry.index is not None}
    if len(leaves) != len(entries) or root_from_cover(leaves, now.size, cover) != now.root:
        report.fail(
            Failure("tree", "root", "these statements, at these places, do not lead to the root that was signed")
        )


def _check_earlier(
    bundle: BundleFile,
    keys: Sequence[PublicKey],
    now: Checkpoint,
    mine: str | None,
    entries: Sequence[Entry],
    report: Report,
) -> None:
    """Each earlier checkpoint, and the user's own, is a beginning of this log."""
    proofs = {now.size: list[bytes]()}
    for line in bundle.lines["earlier"]:
        try:
            value = members(parse(line), {"note", "proof"}, "earlier")
            old, proof = verify_checkpoint(str(value["note"]), keys=keys), hashes(value["proof"], "earlier.proof")
        except EvidenceError as error:
            report.fail(Failure(f"earlier, line {line.number}", error.path or "earlier", error.message))
            continue
        proofs.setdefault(old.size, proof)
        _check_goes_on(old, now, proof, entries, f"earlier checkpoint at {old.size}", report)
    if mine is None:
        return
    try:
        own = verify_checkpoint(mine, keys=keys)
    except EvidenceError as error:
        report.fail(Failure("your checkpoint", error.path, error.message))
        return
    if own.size > now.size:
        message = f"has {own.size} statements, this bundle's log only {now.size}: the end is missing"
        report.fail(Failure("your checkpoint", "size", message))
    elif own.size not in proofs and own.size:
        message = "the bundle does not prove that its log goes on from it; ask for one exported with this checkpoint"
        report.fail(Failure("your checkpoint", "proof", message))
    else:
        before = len(report.failures)
        _check_goes_on(own, now, proofs.get(own.size, []), entries, "your checkpoint", report)
        report.complete = len(report.failures) == before


def _check_goes_on(
    old: Checkpoint, now: Checkpoint, proof: Sequence[bytes], entries: Sequence[Entry], where: str, report: Report
) -> None:
    if old.origin != now.origin:
        report.fail(Failure(where, "origin", f"of the log {old.origin}, not {now.origin}"))
    empty = old.size == 0 and old.root == EMPTY_ROOT and not proof
    if not empty and not is_consistent(old.size, now.size, old.root, now.root, proof):
        report.fail(Failure(where, "root", "this log does not go on from it: something stated by then was changed"))
    by_then = [entry for entry in entries if entry.index is not None and entry.index < old.size]
    made = Counter(entry.statement.source for entry in by_then if entry.statement)
    for source, count in old.heads.items():
        if source in now.heads and made[source] != count:
            report.fail(Failure(where, source, f"{count} statements were made by then; here are {made[source]}"))
