"""Write the blocking clients from the asynchronous ones: the same verbs, each written once.

What is left to say is a table of words. What a word cannot say does not belong into the source: it goes to the modules
that both share (`client.calls`, `client.transport`, `sdk.needs`, `sdk.outcomes`). The manner is httpcore's
(encode/httpcore, scripts/unasync.py).
"""

import re
import subprocess
import sysconfig
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "src" / "tenure"
PAIRS = tuple((SOURCES / room / "aio.py", SOURCES / room / "blocking.py") for room in ("client", "sdk"))
HEADER = "# Generated from aio.py beside it by `make generate`: change that one.\n"
WORDS = (
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read|iter_lines)\(", r"\1("),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\bAsync(Client|Iterator)\b", r"\1"),
    (r"\basynchronous\b", "blocking"),
)


def blocking(source: str) -> str:
    """The blocking module of an asynchronous one. Raises CalledProcessError on what is no Python."""
    for word, instead in WORDS:
        source = re.sub(word, instead, source)
    # F401: asyncio is imported for its sleep alone.
    return _ruff("format", text=_ruff("check", "--fix", "--select", "I,F401", text=HEADER + source))


def _ruff(*arguments: str, text: str) -> str:
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    command = [str(ruff), *arguments, "--quiet", "--no-cache", "--stdin-filename", str(PAIRS[0][1]), "-"]
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def main() -> None:
    for source, target in PAIRS:
        target.write_text(blocking(source.read_text()))
        print(target.relative_to(SOURCES.parents[1]))


if __name__ == "__main__":
    main()
