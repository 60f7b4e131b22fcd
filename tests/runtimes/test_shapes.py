"""Which shapes are worth a trial."""

from hypothesis import given
from hypothesis import strategies as st

from tenure.runtimes import Shape, candidate_shapes


def test_powers_of_two_and_all_cores_with_every_slot_count() -> None:
    assert candidate_shapes(6, (1, 4), 64) == (
        Shape(1, 1),
        Shape(1, 4),
        Shape(2, 1),
        Shape(2, 4),
        Shape(4, 1),
        Shape(4, 4),
        Shape(6, 1),
        Shape(6, 4),
    )


def test_no_core_is_no_shape() -> None:
    assert candidate_shapes(0, (1,), 64) == ()


@given(cores=st.integers(0, 200), slots=st.lists(st.integers(1, 16), min_size=1, max_size=4), most=st.integers(1, 64))
def test_shapes_are_distinct_and_within_what_is_there(cores: int, slots: list[int], most: int) -> None:
    shapes = candidate_shapes(cores, slots, most)
    assert len(set(shapes)) == len(shapes)
    assert all(1 <= shape.threads <= min(cores, most) and shape.slots in slots for shape in shapes)


def test_a_shape_reads_like_a_sentence() -> None:
    assert str(Shape(1, 4)) == "1 thread x 4 slots"
