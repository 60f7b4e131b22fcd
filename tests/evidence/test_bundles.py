"""A bundle convinces a stranger, and stops doing so with the first byte, line or statement that is not as it was."""

import base64
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.evidence import (
    BundleError,
    PublicKey,
    SigningKey,
    UnknownStatementError,
    canonical_bytes,
    contract_sources,
    export_bundle,
    verify_bundle,
)
from tenure.evidence.bundle_file import parse_bundle
from tests.evidence.builders import AT_MS, SOURCE, a_history, a_log, a_ring, a_statement, a_window, recompute, rotated


class Example:
    """A log, a bundle of one contract from it, and what its user holds."""

    def __init__(self, folder, **history):
        self.folder, self.log, self.ring = folder, a_log(folder), a_ring(folder)
        self.note = a_history(self.log, **history)
        self.path = folder / "bundle.jsonl"
        self.export()

    def export(self, **how):
        return export_bundle(self.log, self.path, sources=[SOURCE], keys=self.ring, at_ms=AT_MS, **how)

    def verify(self, **how):
        how = {"public_key": self.ring.signing.public, "checkpoint": self.note, "recompute": recompute, **how}
        return verify_bundle(self.path, **how)

    def lines(self):
        return self.path.read_bytes().splitlines(keepends=True)

    def write(self, lines):
        self.path.write_bytes(b"".join(lines))

    def statements(self):
        """The numbers of the lines that hold statements."""
        return [number for number, line in enumerate(self.lines()) if line.startswith(b'{"statement"')]


@pytest.fixture
def example(tmp_path):
    return Example(tmp_path)


def fields(report):
    return {(failure.statement_id, failure.field) for failure in report.failures}


def test_a_bundle_is_verified_with_the_public_key_and_the_checkpoint_given_at_acceptance(example):
    report = example.verify(public_key=PublicKey.parse(example.ring.signing.public.pem))
    assert report.failures == []
    assert (report.ok, report.complete, report.recomputed) == (True, True, 6)
    assert dict(report.verdicts) == {"Kept": 3, "Breached": 3}
    assert report.statements["contract"] == 1
    assert report.subject == "contracts/default/chat"


def test_without_a_checkpoint_it_holds_but_is_not_called_complete(example):
    report = example.verify(checkpoint=None)
    assert (report.ok, report.complete) == (True, False)


def test_it_says_nothing_of_other_contracts(example):
    assert b"c-2" not in example.path.read_bytes()
    assert all(
        b"c-2" not in base64.b64decode(json.loads(line)["statement"]["envelope"]["payload"])
        for line in example.lines()
        if line.startswith(b'{"statement"')
    )


def test_the_same_log_gives_the_same_bytes(example):
    before = example.path.read_bytes()
    example.export()
    assert example.path.read_bytes() == before


def test_contracts_are_found_by_name(example):
    assert contract_sources(example.log, namespace="default", name="chat") == [SOURCE]
    assert contract_sources(example.log, namespace="default", name="absent") == []
    with pytest.raises(UnknownStatementError):
        export_bundle(example.log, example.path, sources=["contract/none"], keys=example.ring, at_ms=AT_MS)


def test_a_bundle_from_after_a_rotation_is_verified_with_the_key_from_before(example):
    before = example.ring.signing.public
    rotated(example.log._keys)
    example.ring = example.log._keys
    example.log.append(a_statement(id="later"))
    example.export()
    assert example.verify(public_key=before).ok
    assert example.verify(public_key=example.ring.signing.public).ok


def test_a_stranger_s_public_key_verifies_nothing(example):
    report = example.verify(public_key=SigningKey.generate().public)
    assert not report.ok
    assert report.failures[0].field == "keys"


def unseen(example, count, seed):
    chance, data, missed = random.Random(seed), example.path.read_bytes(), []
    for _ in range(count):
        bit = chance.randrange(len(data) * 8)
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        example.path.write_bytes(damaged)
        if example.verify().ok:
            missed.append(bit)
    return missed


def test_flipped_bits_are_seen(example):
    assert unseen(example, 250, seed=1) == []


@pytest.mark.slow
def test_ten_thousand_flipped_bits_are_seen(example):
    assert unseen(example, 10_000, seed=2) == []


def test_a_flipped_byte_in_a_statement_names_it_and_its_field(example):
    lines = example.lines()
    number = example.statements()[4]
    lines[number] = lines[number].replace(b'"sig":"', b'"sig":"A', 1)
    example.write(lines)
    failures = example.verify().failures
    assert (failures[0].index, failures[0].field) == (5, "$.signatures[0].sig")
    assert failures[0].statement_id == f"{SOURCE}/window/1"


def forged(line, change):
    """A statement's line whose payload was changed, its signature left as it was."""
    value = json.loads(line)
    payload = json.loads(base64.b64decode(value["statement"]["envelope"]["payload"]))
    change(payload)
    value["statement"]["envelope"]["payload"] = base64.b64encode(canonical_bytes(payload)).decode()
    return canonical_bytes(value) + b"\n"


def test_a_breach_painted_over_is_named_by_its_verdict(example):
    lines, number = example.lines(), example.statements()[-2]
    lines[number] = forged(lines[number], lambda payload: payload["predicate"]["body"].update(verdict="Kept"))
    example.write(lines)
    report = example.verify()
    painted = f"{SOURCE}/window/5"
    assert (painted, "$.signatures[0].sig") in fields(report)
    assert (painted, "$.predicate.body.verdict") in fields(report)


def test_a_verdict_that_its_maker_signed_but_the_samples_deny_is_named(example):
    """Whoever holds the key can sign anything; what cannot be signed away is that the samples say otherwise."""
    draft = a_window(6, {"latencyMs": [900]})
    lie = draft.statement.body | {"verdict": "Kept"}
    example.log.append(a_statement(predicate="window-verdict", id="lie", body=lie), draft.inputs)
    example.export()
    report = example.verify()
    assert fields(report) == {("lie", "$.predicate.body.verdict")}
    assert "Breached" in report.failures[0].message


def test_samples_that_do_not_permit_the_verdict_are_named(example):
    body = a_window(6, {"latencyMs": [1]}).statement.body
    example.log.append(a_statement(predicate="window-verdict", id="bare", body=body), {"samples": {}})
    example.export()
    assert fields(example.verify()) == {("bare", "$.predicate.inputs")}


def test_changed_samples_name_the_verdicts_that_rest_on_them(example):
    lines = example.lines()
    number = next(number for number, line in enumerate(lines) if b"[50," in line and line.startswith(b'{"input'))
    lines[number] = lines[number].replace(b"[50,", b"[51,")
    example.write([*lines])
    report = example.verify()
    assert any(failure.where.startswith("input ") for failure in report.failures)
    assert report.failures[0].statement_id == f"{SOURCE}/window/0"
    assert report.failures[0].field == "$.predicate.inputs.samples"
    assert report.recomputed == 5, "nothing is computed from bytes that nobody vouches for"


def test_twin_samples_as_they_were_name_nothing(example):
    lines = example.lines()
    example.write([*lines])
    assert (example.verify().failures, example.verify().recomputed) == ([], 6)


def flipped(lines, number, at, bit):
    """The file with one bit of one of its lines flipped."""
    line = bytearray(lines[number])
    line[at] ^= 1 << bit
    return [*lines[:number], bytes(line), *lines[number + 1 :]]


@pytest.mark.parametrize("which", [4, -1])
def test_a_flipped_bit_anywhere_in_the_line_of_a_statement_names_its_place(example, which):
    """In its frame, its envelope or its line end. Another number for its place is signed by nothing but the tree."""
    lines, number = example.lines(), example.statements()[which]
    line, index = lines[number], json.loads(lines[number])["statement"]["index"]
    before = json.loads(lines[number - 1])["statement"]["index"]
    digits = line.rindex(b":") + 1
    places = [*range(0, 26, 2), *range(30, digits, 171), *range(digits - 9, len(line))]
    for at in (at for at in places if not digits <= at < len(line) - 3):
        example.write(flipped(lines, number, at, at % 8))
        report = example.verify()
        named = {failure.index for failure in report.failures if failure.where.startswith("statement ")}
        after = any(f.where.startswith(f"statement after {before}, line ") for f in report.failures)
        assert index in named or after, (at, line[at : at + 1], report.failures)
        assert report.recomputed >= 4, "the others were looked at all the same"


def test_lines_that_a_damaged_line_end_has_joined_do_not_shift_the_numbers_of_those_after_them(example):
    lines, (number, later) = example.lines(), example.statements()[3:6:2]
    lines[number] = lines[number][:-1] + b" "
    lines[later] = lines[later].replace(b'"index"', b'"indox"')
    example.write(lines)
    (named,) = {failure.where for failure in example.verify().failures if "line" in failure.where}
    assert named.endswith(f", line {later}"), "the file has one line less"


@pytest.mark.parametrize("parts", [20_000])
def test_a_line_of_many_joined_ones_is_read_once(parts):
    """Each is a line that is damaged: what it costs grows with the file, not with its square."""
    head = b'{"bundle":{}}\n{"keys":{}}\n{"checkpoint":{}}\n'
    found = parse_bundle(head + b'{"statement":x} ' * parts + b'\n{"seal":{}}\n')
    assert len(found.lines["statement"]) == parts
    assert {line.number for line in found.lines["statement"]} == {4}
    assert found.lines["seal"][0].number == 5


def test_a_damaged_line_of_another_part_is_named_and_the_rest_is_checked(example):
    lines = example.lines()
    number = next(number for number, line in enumerate(lines) if line.startswith(b'{"input'))
    example.write(flipped(lines, number, 3, 0))
    report = example.verify()
    assert ("line " + str(number + 1), "input") in {(failure.where, failure.field) for failure in report.failures}
    assert report.recomputed == 6


def test_a_window_on_which_nothing_was_ever_said_is_told(example):
    """Numbers without a gap show that nothing said was left out; this shows what was never said."""
    draft = a_window(8, {"latencyMs": [50]})
    example.log.append(draft.statement, draft.inputs)
    example.export()
    (gap,) = example.verify().unjudged
    assert (gap.promise, gap.start, gap.end) == (
        "requestLatency p50",
        "2026-01-01T00:06:00Z",
        "2026-01-01T00:08:00Z",
    )


@pytest.mark.parametrize("which", range(9))
def test_an_omitted_statement_is_missed(example, which):
    lines = example.lines()
    del lines[example.statements()[which]]
    example.write(lines)
    where = {failure.where for failure in example.verify().failures}
    assert {"statement", "tree"} <= where


def test_statements_in_another_order_are_refused(example):
    lines, (one, other) = example.lines(), example.statements()[3:5]
    lines[one], lines[other] = lines[other], lines[one]
    example.write(lines)
    assert {failure.field for failure in example.verify().failures} >= {"index", "$.predicate.sequence"}


def test_a_statement_repeated_is_refused(example):
    lines, number = example.lines(), example.statements()[3]
    lines.insert(number, lines[number])
    example.write(lines)
    assert not example.verify().ok


def test_a_bundle_cut_off_anywhere_is_refused(example):
    data = example.path.read_bytes()
    for length in range(0, len(data), 997):
        example.path.write_bytes(data[:length])
        assert not example.verify().ok


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One example for many mutations."""
    return Example(tmp_path_factory.mktemp("shared"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_splice_is_taken_and_none_crashes(shared, data):
    """Pieces cut out, doubled, moved, replaced by others of the file or by noise: refused, never with a traceback."""
    good = shared.path.read_bytes()
    at, to = (data.draw(st.integers(0, len(good))) for _ in range(2))
    length = data.draw(st.integers(0, 600))
    piece = data.draw(
        st.sampled_from([good[at : at + length], b"", b"\n", b"{}", b"\x00\xff"]) | st.binary(max_size=40)
    )
    cut = data.draw(st.integers(0, 600))
    bad = good[:to] + piece + good[to + cut :]
    if bad == good:
        return
    path = shared.folder / "spliced"
    path.write_bytes(bad)
    report = verify_bundle(path, public_key=shared.ring.signing.public, checkpoint=shared.note, recompute=recompute)
    assert not report.ok
    assert report.failures[0].message


def test_an_older_bundle_is_not_passed_off_as_the_newest(example):
    """The user asked for a checkpoint later on; the bundle from before cannot go on from it."""
    example.log.append(a_statement(id="later"))
    later = example.log.checkpoint([SOURCE])
    report = example.verify(checkpoint=later)
    assert [(failure.where, failure.field) for failure in report.failures] == [("your checkpoint", "size")]
    example.export(earlier=[later])
    report = example.verify(checkpoint=later)
    assert (report.failures, report.complete) == ([], True)


def test_a_checkpoint_that_the_bundle_does_not_prove_is_not_taken_on_trust(example):
    early = example.log.checkpoint([SOURCE])
    example.log.append(a_statement(id="later"))
    example.export()
    report = example.verify(checkpoint=early)
    assert (report.failures[0].field, report.complete) == ("proof", False)


def test_a_shorter_history_signed_anew_by_the_key_s_holder_fails_against_the_checkpoint(example, tmp_path):
    """The same keys write another log that leaves out what hurts."""
    anew = tmp_path / "anew"
    (anew).mkdir()
    (tmp_path / "keys").rename(anew / "keys")
    other = Example(anew, windows=2)
    other.log.append(a_statement(id="padding"))
    for number in range(20):
        other.log.append(a_statement(id=f"padding-{number}", source="pad"))
    other.export()
    assert other.verify(checkpoint=None).ok
    late = example.log.checkpoint([SOURCE])
    assert not other.verify(checkpoint=late).ok


def test_terms_changed_after_acceptance_fail(example, tmp_path):
    lines, number = example.lines(), example.statements()[2]

    def cheaper(payload):
        payload["predicate"]["body"]["terms"]["offer"] = "chat-2"

    lines[number] = forged(lines[number], cheaper)
    example.write(lines)
    assert (f"{SOURCE}/terms", "$.predicate.body.terms") in fields(example.verify())


def test_many_verdicts_are_recomputed_on_all_cores_with_the_same_report(tmp_path, monkeypatch):
    monkeypatch.setattr("tenure.evidence.recomputing.PARALLEL_FROM", 10)
    example = Example(tmp_path, windows=40)
    draft = a_window(40, {"latencyMs": [900]})
    lie = draft.statement.body | {"verdict": "Kept"}
    example.log.append(a_statement(predicate="window-verdict", id="lie", body=lie), draft.inputs)
    example.export()
    one, two = example.verify(), example.verify(processes=2)
    assert one.to_wire() == two.to_wire()
    assert fields(two) == {("lie", "$.predicate.body.verdict")}


def test_a_missing_file_is_an_error_not_a_verdict(example, tmp_path):
    example.path = tmp_path / "absent"
    with pytest.raises(BundleError):
        example.verify()


def test_the_report_is_plain_json(example):
    assert json.loads(json.dumps(example.verify().to_wire()))["ok"] is True


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("bundle", {"sources": 5}),
        ("bundle", {"sources": [{"name": "x", "count": "1"}]}),
        ("bundle", {"sources": []}),
        ("bundle", {"format": "other"}),
        ("bundle", {"extra": 1}),
        ("checkpoint", {"cover": 5}),
        ("checkpoint", {"cover": ["AA=="]}),
        ("checkpoint", {"note": "x"}),
        ("keys", None),
        ("keys", []),
        ("keys", [1]),
        ("earlier", {"proof": None}),
        ("seal", {"signatures": []}),
        ("statement", {"index": -1}),
        ("statement", {"envelope": {}}),
        ("input", {"sha256": 7}),
    ],
)
def test_nonsense_is_a_failure_never_a_crash(example, section, change):
    lines = example.lines()
    number = next(number for number, line in enumerate(lines) if line.startswith(b'{"%b"' % section.encode()))
    value = json.loads(lines[number])[section]
    value = value | change if isinstance(value, dict) else change
    lines[number] = canonical_bytes({section: value}) + b"\n"
    example.write(lines)
    assert not example.verify().ok
