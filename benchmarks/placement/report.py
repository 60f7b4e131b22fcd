"""Plain tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """First column to the left, the others to the right."""
    widths = [max(len(line[column]) for line in [header, *rows]) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [cells[0].ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), line(["-" * width for width in widths]), *(line(row) for row in rows)])


def plot(points: Sequence[tuple[float, float, str]], across: str, up: str, width: int = 64, height: int = 16) -> str:
    """A scatter of labelled points (x, y, label)."""
    low_x, high_x = min(x for x, _, _ in points), max(x for x, _, _ in points)
    low_y, high_y = min(y for _, y, _ in points), max(y for _, y, _ in points)
    grid = [[" "] * (width + 24) for _ in range(height + 1)]
    for x, y, label in points:
        column = round((x - low_x) / max(high_x - low_x, 1e-9) * width)
        row = height - round((y - low_y) / max(high_y - low_y, 1e-9) * height)
        for offset, letter in enumerate(f"o {label}"[: width + 24 - column]):
            if offset == 0 or grid[row][column + offset] == " ":
                grid[row][column + offset] = letter
    lines = ["".join(row).rstrip() for row in grid]
    axis = f"{low_x:.2f}".ljust(width - 6) + f"{high_x:.2f}"
    return "\n".join(
        [f"{up}, {low_y:.2f} to {high_y:.2f}"] + ["| " + text for text in lines] + ["+" + "-" * width, axis, across]
    )
