"""The quickstart's picture: run it in a terminal of a fixed width, and keep what that showed in the end as an SVG.

    python -m benchmarks.picture [--from RECORDING] [--keep RECORDING]

Nothing is staged or edited, but long outputs are cut in their middle and say so, and the checkout's folder reads
~/tenure.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from benchmarks.home import CHECKOUT, ENVIRONMENT, TENURE, need_model
from benchmarks.terminal import Terminal

MODEL = "smollm2-135m-instruct"
WIDTH, HEIGHT = 100, 500
LINES_MAX, LINES_FIRST, LINES_LAST = 44, 30, 8
TARGET = CHECKOUT / "docs" / "quickstart.svg"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# No font from elsewhere: a picture that opens anywhere asks nobody.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
)
NORMAL = ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"]
BRIGHT = ["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc"]


def record() -> str:
    """Run the quickstart in a pseudo-terminal and return all that it wrote; shown meanwhile where somebody looks."""
    need_model(MODEL)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    environment = ENVIRONMENT | {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment |= {"COLUMNS": str(WIDTH), "LINES": str(HEIGHT)}
    command = [str(TENURE), "--home", str(CHECKOUT / ".tenure" / "picture"), "quickstart"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = bytearray()
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other side is closed: that is how a pseudo-terminal says that it is over
            break
        if not chunk:
            break
        written += chunk
        if sys.stdout.isatty():
            os.write(sys.stdout.fileno(), chunk)
    os.close(ours)
    if process.wait() != 0:
        raise SystemExit(f"the quickstart ended with {process.returncode}:\n{written[-2000:].decode(errors='replace')}")
    return written.decode(errors="replace")


def readable(lines: list[str]) -> list[str]:
    """Cut the middle out of long outputs, drop repeated blank lines, and name the checkout as anyone's."""
    shown: list[str] = []
    output: list[str] = []

    def close() -> None:
        if len(output) > LINES_MAX:
            left_out = len(output) - LINES_FIRST - LINES_LAST
            output[LINES_FIRST:-LINES_LAST] = ["", f"\x1b[2m    ... {left_out} more lines ...\x1b[0m", ""]
        shown.extend(output)
        output.clear()

    for line in lines:
        plain = _ESCAPES.sub("", line)
        if plain.startswith("$ ") or ("─────" in plain and re.match(r"\d+  \w", plain)):
            close()
        output.append(line.replace(str(CHECKOUT), "~/tenure"))
    close()
    return [
        line
        for at, line in enumerate(shown)
        if _ESCAPES.sub("", line).strip() or (at and _ESCAPES.sub("", shown[at - 1]).strip())
    ]


def rgb(code: str) -> tuple[int, int, int]:
    """A colour written as #rrggbb."""
    red, green, blue = bytes.fromhex(code[1:])
    return red, green, blue


def svg(lines: list[str]) -> str:
    """The lines as a picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True, end="\n")
    theme = TerminalTheme(rgb("#161b22"), rgb("#c9d1d9"), [*map(rgb, NORMAL)], [*map(rgb, BRIGHT)])
    drawn = console.export_svg(title="tenure quickstart", theme=theme, code_format=FORMAT, unique_id="quickstart")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def main() -> int:
    """Record, render, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.picture", description=__doc__)
    parser.add_argument("--from", dest="recording", type=Path, help="render this recording instead of a new run")
    parser.add_argument("--keep", type=Path, help="also keep what was written to the terminal")
    parser.add_argument("--text", type=Path, help="also write it as plain text")
    wanted = parser.parse_args()
    # Bytes: reading text would take each carriage return for a new line.
    written = wanted.recording.read_bytes().decode() if wanted.recording else record()
    if wanted.keep:
        wanted.keep.write_bytes(written.encode())
    terminal = Terminal(WIDTH)
    terminal.write(written)
    lines = readable(terminal.ansi_lines())
    TARGET.write_text(svg(lines))
    if wanted.text:
        wanted.text.write_text("\n".join(_ESCAPES.sub("", line) for line in lines) + "\n")
    print(f"{TARGET.relative_to(CHECKOUT)}: {len(lines)} lines, {TARGET.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
