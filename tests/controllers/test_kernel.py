"""The work queue: one object in sequence, failures back off, times are the injected clock's."""

from hypothesis import given
from hypothesis import strategies as st

from tenure.controllers.kernel import Key, WorkQueue
from tenure.controllers.kernel.queue import BACKOFF_FIRST_MS, BACKOFF_MS_MAX
from tenure.quantities import VirtualClock

A, B = Key("default", "a"), Key("default", "b")


def test_a_key_waits_once_however_often_it_is_added() -> None:
    queue = WorkQueue(VirtualClock())
    for _ in range(3):
        queue.add(A)
    assert queue.take() == A
    assert queue.take() is None


def test_an_object_in_work_is_taken_up_again_only_when_it_is_done() -> None:
    queue = WorkQueue(VirtualClock())
    queue.add(A)
    assert queue.take() == A
    queue.add(A)
    assert queue.take() is None
    queue.done(A, failed=False)
    assert queue.take() == A


def test_failures_back_off_and_success_forgets_them() -> None:
    clock = VirtualClock()
    queue = WorkQueue(clock)
    waits = []
    for _ in range(20):
        queue.add(A)
        assert queue.take() == A
        waits.append(queue.done(A, failed=True))
        clock.advance(BACKOFF_MS_MAX)
        assert queue.take() == A
        queue.done(A, failed=True)
    assert waits[0] == BACKOFF_FIRST_MS
    assert waits[-1] == BACKOFF_MS_MAX
    queue.add(A)
    queue.take()
    queue.done(A, failed=False)
    queue.add(A)
    queue.take()
    assert queue.done(A, failed=True) == BACKOFF_FIRST_MS


def test_an_earlier_time_wins_over_a_later_one() -> None:
    clock = VirtualClock()
    queue = WorkQueue(clock)
    queue.add_after(A, 1000)
    queue.add_after(A, 10)
    clock.advance(10)
    assert queue.take() == A
    queue.done(A, failed=False)
    clock.advance(1000)
    assert queue.take() is None, "the later time was replaced, not kept"


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "done", "fail", "tick"]), st.sampled_from([A, B]))))
def test_no_object_is_ever_in_work_twice(history: list[tuple[str, Key]]) -> None:
    clock = VirtualClock()
    queue = WorkQueue(clock)
    working: set[Key] = set()
    for what, key in history:
        match what:
            case "add":
                queue.add(key)
            case "take":
                taken = queue.take()
                assert taken not in working
                if taken is not None:
                    working.add(taken)
            case "tick":
                clock.advance(100)
            case _ if key in working:
                queue.done(key, failed=what == "fail")
                working.discard(key)
