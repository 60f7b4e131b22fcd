"""A journal that is rewritten between two readings is found out by who saw its head meanwhile; what nobody saw is not.

The control plane notes the heads at each look, the prober notes the tap's head each second in a journal of its own.
"""

from pathlib import Path

from tenure.controllers.contract.judging import judge_windows
from tenure.measurement import JournalWriter
from tenure.measurement.journal_witness import head_of
from tenure.promises import Reason, Verdict
from tests.controllers.test_judging import BREACHED, DAMAGED, KEPT, NS, Service, rewritten


class Watched(Service):
    """With a prober beside the tap, which writes a mark a second and notes the tap's head in it."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.prober = JournalWriter(self.folder.with_name("prober"), read_clocks=self.clocks)

    def mark(self) -> None:
        head = head_of(self.folder, self.clock.now_ms() * NS)
        assert head is not None
        self.prober.append("mark", {**self.clocks(), "witnessed": [head.sequence, head.chain]})

    def serve_watched(self, seconds: int, first_token_ms: int = 50) -> None:
        for _ in range(seconds // 2):
            self.serve(2, first_token_ms)
            self.mark()


def test_what_was_noted_at_a_look_cannot_be_rewritten(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.serve(21)
    assert service.judge() == [KEPT, KEPT]
    service.serve(7, first_token_ms=300)
    read = service.tap.sequence - 14
    judge_windows(service.plane, service.contract)  # a look within the window: nothing to judge, a head to note
    rewritten(service, since=read)
    service.tap = JournalWriter(service.folder, read_clocks=service.clocks)
    service.serve(3, first_token_ms=300)
    assert service.judge() == [KEPT, KEPT, DAMAGED]
    service.serve(20)
    assert service.judge()[3:] == [DAMAGED, KEPT], "the rewritten past is in doubt, what came after it is not"


def test_what_the_prober_noted_while_the_control_plane_was_dead_cannot_be_rewritten(tmp_path: Path) -> None:
    service = Watched(tmp_path)
    service.serve_watched(22)
    assert service.judge() == [KEPT, KEPT]
    read = service.tap.sequence
    service.serve_watched(18, first_token_ms=300)
    rewritten(service, since=read + 1)
    assert service.judge() == [KEPT, KEPT, DAMAGED, DAMAGED]


def test_a_prober_that_saw_more_than_the_journal_has_tells_of_the_cut(tmp_path: Path) -> None:
    service = Watched(tmp_path)
    service.serve_watched(22)
    service.judge()
    service.serve_watched(18)
    (segment,) = service.folder.glob("journal-*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)[:-8]
    segment.write_bytes(b"".join(lines))
    (service.folder / "head").unlink()
    assert service.judge()[3] == DAMAGED


def test_twin_a_journal_that_was_only_watched_is_believed(tmp_path: Path) -> None:
    service = Watched(tmp_path)
    service.serve_watched(22)
    service.judge()
    service.serve_watched(18, first_token_ms=300)
    judge_windows(service.plane, service.contract)
    service.serve_watched(10)
    assert service.judge() == [KEPT, KEPT, BREACHED, BREACHED, KEPT]


def test_what_nobody_saw_in_between_is_the_interval_that_remains(tmp_path: Path) -> None:
    """Said plainly: without a prober and with the control plane dead, what is rewritten behind the newest look is not
    found by the journal itself. It must then agree with the other views."""
    service = Service(tmp_path)
    service.serve(21)
    service.judge()
    read = service.tap.sequence
    service.serve(8, first_token_ms=300)
    rewritten(service, since=read + 1)
    service.tap = JournalWriter(service.folder, read_clocks=service.clocks)
    service.serve(2)
    assert service.judge()[2][1] is not Reason.JOURNAL_DAMAGED
    assert service.judge()[2][0] is not Verdict.BREACHED
