"""The picture shows what a terminal would show in the end."""

from benchmarks.terminal import Terminal


def shown(text: str, width: int = 20) -> list[str]:
    terminal = Terminal(width)
    terminal.write(text)
    return terminal.ansi_lines()


def test_lines_follow_each_other_and_lose_their_trailing_blanks() -> None:
    assert shown("one  \r\ntwo\r\n") == ["one", "two", ""]


def test_a_live_line_that_was_drawn_over_is_gone() -> None:
    assert shown("working 1 s\r\x1b[2Kdone\r\n") == ["done", ""]


def test_a_live_table_of_several_lines_keeps_only_its_last_state() -> None:
    first, second = "a 1\r\nb 1", "\r\x1b[2K\x1b[1A\x1b[2Ka 2\r\nb 2\r\n"
    assert shown(first + second) == ["a 2", "b 2", ""]


def test_colours_stay_with_their_characters() -> None:
    assert shown("\x1b[1;32mgo\x1b[0m on") == ["\x1b[0m\x1b[1;32mgo\x1b[0m on"]


def test_the_cursor_being_hidden_is_not_shown() -> None:
    assert shown("\x1b[?25lx\x1b[?25h") == ["x"]


def test_a_line_that_just_fills_the_width_does_not_leave_an_empty_one() -> None:
    assert shown("12345\r\nnext", width=5) == ["12345", "next"]


def test_a_longer_line_goes_on_in_the_next() -> None:
    assert shown("1234567", width=5) == ["12345", "67"]


def test_a_character_of_double_width_takes_two_columns() -> None:
    assert shown("表x\r\x1b[3Gy", width=5) == ["表y"]
