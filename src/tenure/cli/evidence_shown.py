"""What `tenure evidence` prints: keys, checkpoints, statements and the report of a verification."""

from typing import Any

from tenure.cli.screen import say, say_as, say_json, say_table
from tenure.cli.words import duration_text
from tenure.evidence import Failure, KeyRing, LogReader, Report, Statement
from tenure.quantities import format_instant


def say_public_key(keys: KeyRing, output: str) -> None:
    key = keys.public_keys[-1]
    if output == "json":
        say_as("PublicKey", {"keyId": key.id, "publicKey": key.pem})
    else:
        say(key.pem.rstrip())


def say_history(keys: KeyRing, output: str) -> None:
    """The text is what verifiers keep as a file: the bare list, as in `history.json` and in bundles."""
    records = [record.to_wire() for record in keys.history]
    if output == "json":
        say_as("KeyHistory", {"items": records})
    else:
        say_json(records)


def say_checkpoint(text: str, output: str) -> None:
    if output == "json":
        say_as("Checkpoint", {"checkpoint": text})
    else:
        say(text.rstrip("\n"))


def say_report(report: Report) -> None:
    for failure in report.failures:
        say(f"✗ {_place(failure)}: {failure.message}")
    if report.more_failures:
        say(f"✗ and {report.more_failures} more")
    for gap in report.unjudged:
        say(f"· {gap.promise}: no verdict was ever stated on {gap.start} to {gap.end}; read it as unverifiable")
    for version, count in sorted(report.other_judges.items()):
        say(f"· {count} verdicts were drawn by judge version {version}, which this Tenure is not: unverifiable")
    for one in report.uncounted:
        said = one.statement_id or "accounts and credit"
        say(f"· {said} cannot be drawn again, {one.because}: unverifiable")
    if report.untimely:
        say(f"· UNVERIFIABLE as of {_when(report.as_of_ms)}: {report.untimely}; ask for a newer bundle")
    if not report.ok:
        return say("The bundle does not hold.")
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(report.verdicts.items()))
    count = sum(report.statements.values())
    say(f"✓ {report.subject}: {count} statements, each signed, numbered without a gap and in the tree")
    say(f"✓ {report.recomputed} verdicts follow from their samples and the signed terms ({verdicts or 'none'})")
    if report.retired:
        say(f"· {report.retired} verdicts stand as signed: their samples were given up when their retention was over")
    say(f"✓ log {report.log} at {report.size} statements, key {report.keys[-1][:16]}…")
    _say_time(report)
    if report.complete:
        return say("✓ complete: the log goes on from your checkpoint")
    if report.unjudged:
        return say("· not complete: windows that are owed have no verdict")
    return say("· completeness is not proved: verify with --checkpoint, the one you were given")


def _say_time(report: Report) -> None:
    """Until when it proves anything, said so that nobody takes last month's bundle for today's."""
    judged = "" if report.judged_until_ms is None else f", judged until {_when(report.judged_until_ms)}"
    if report.created_ms is None or report.as_of_ms is None:
        return
    if report.settled:
        say(f"✓ made {_when(report.created_ms)}{judged}: the contract is settled, nothing more is owed")
        return
    ago = duration_text(report.as_of_ms - report.created_ms)
    say(f"· NOT SETTLED: it proves until it was made, {_when(report.created_ms)}, {ago} ago{judged}; nothing since")


def _when(ms: int | None) -> str:
    return "unknown" if ms is None else format_instant(ms // 1000 * 1000)


def _place(failure: Failure) -> str:
    """Part and field; a part that is named by its place in the file has no other."""
    return failure.where if failure.field in ("", failure.where) else f"{failure.where}: {failure.field}"


def show_log(log: LogReader, keys: KeyRing, output: str) -> None:
    sources = [(source, log.count(source)) for source in log.sources()]
    if output == "json":
        say_as(
            "EvidenceLog",
            {
                "log": log.origin,
                "size": log.size,
                "root": log.root.hex(),
                "keyId": keys.public_keys[-1].id,
                "sources": [{"name": name, "statements": count} for name, count in sources],
            },
        )
        return
    say(f"{log.origin}: {log.size} statements, root {log.root.hex()[:16]}…, key {keys.public_keys[-1].id[:16]}…")
    subjects = [log.statement(log.places(source)[0]).subjects[0].name for source, _ in sources]
    say_table(
        ["about", "statements", "source"],
        [[about, count, source] for about, (source, count) in zip(subjects, sources, strict=True)],
    )


def show_contract(log: LogReader, source: str, tail: int, output: str) -> None:
    places = log.places(source)[-tail:] if tail > 0 else log.places(source)
    statements = [(place, log.statement(place)) for place in places]
    if output == "json":
        items = [{"index": place, **statement.to_wire()} for place, statement in statements]
        say_as("Statements", {"source": source, "items": items})
        return
    say(f"{source}: {log.count(source)} statements" + (f", the newest {len(places)}" if tail else ""))
    say_table(
        ["number", "at", "statement", "says"],
        [[item.sequence, format_instant(item.at_ms), item.predicate, _gist(item)] for _, item in statements],
    )


def _gist(statement: Statement) -> str:
    """What a statement says, in a line."""
    body = statement.body
    if statement.predicate == "window-verdict":
        return f"{body['promise']} {body['start']}: {body['verdict']} ({body['reason']})"
    shown: dict[str, Any] = {name: value for name, value in body.items() if isinstance(value, str | int | float | bool)}
    text = ", ".join(f"{name} {value}" for name, value in shown.items())
    return text.replace("\n", " ")[:100] or f"{', '.join(body)}"
